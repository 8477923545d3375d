//! Whose credentials these are. This is the first call to AWS, so network, endpoint and credential problems appear here.

use crate::error::{AwsError, Error, Hint, Result, Transport, Verb};
use crate::time::{Stop, at_most, pause, unless_stopped};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;

/// After this time the user is notices what the program is waiting for.
const NOTICE_DELAY: Duration = Duration::from_secs(3);

/// The pause before the second attempt. Each further pause is twice as long, up to `LONGEST_PAUSE`.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Attempts after lost responses and server errors. Throttled calls are retried until the timeout.
const MAX_ATTEMPTS: u32 = 3;

/// The identity behind the credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// `aws`, `aws-cn`, `aws-us-gov` or another partition.
    pub(super) partition: String,
    /// Twelve digits.
    pub(super) account: String,
}

/// The question who the caller is, asked until there is an answer.
pub(super) struct IdentityQuery<'a> {
    /// The endpoint, if it is not AWS's own.
    pub(super) endpoint: Option<&'a str>,
    pub(super) region: &'a str,
    /// Whether the access key is temporary, but has no session token.
    pub(super) lacks_token: bool,
    pub(super) stop: &'a Stop,
    pub(super) timeout: Duration,
}

type IdentityResult = Result<GetCallerIdentityOutput, Box<AwsError>>;

impl IdentityQuery<'_> {
    /// Calls `attempt` until it succeeds, with pauses. `notify` tells the user about waits and retries.
    ///
    /// # Errors
    /// No connection; no response within the timeout; a response that is not from STS; a refusal; Ctrl-C.
    pub(super) async fn run(
        &self,
        mut attempt: impl AsyncFnMut() -> IdentityResult,
        notify: impl Fn(&str),
    ) -> Result<Caller> {
        let deadline = Instant::now() + self.timeout;
        let remaining = || deadline.saturating_duration_since(Instant::now());
        let (mut next_pause, mut attempts) = (FIRST_PAUSE, 0);
        loop {
            let result = {
                let mut pending = pin!(unless_stopped(self.stop, attempt()));
                match at_most(NOTICE_DELAY.min(remaining()), pending.as_mut()).await {
                    Some(result) => Some(result?),
                    None => {
                        notify(&format!("waiting for {} to answer", self.server()));
                        at_most(remaining(), pending).await.transpose()?
                    }
                }
            };
            let Some(result) = result else { return Err(self.timed_out()) };
            let error = match result {
                Ok(identity) => return self.parse(&identity),
                Err(error) => *error,
            };
            attempts += 1;
            let is_transient = error.is_throttle() || error.outcome_unknown() && attempts < MAX_ATTEMPTS;
            if !is_transient || next_pause > remaining() {
                return Err(self.explain(error));
            }
            notify(&format!("trying {} again: {}", self.server(), error.message));
            pause(self.stop, next_pause).await?;
            next_pause = (next_pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Returns the endpoint as messages name it.
    fn server(&self) -> String {
        match self.endpoint {
            Some(url) => url.to_owned(),
            None => format!("AWS in {}", self.region),
        }
    }

    /// Takes the account and the partition from the response. The caller's ARN names the partition, so no table of
    /// regions is needed.
    fn parse(&self, identity: &GetCallerIdentityOutput) -> Result<Caller> {
        let account = identity.account().unwrap_or_default();
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new(format!(
                "{} does not say whose credentials these are: its account {account:?} has not twelve digits",
                self.server()
            ))
            .hint(self.connection_hint()));
        }
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).filter(|name| !name.is_empty());
        Ok(Caller { partition: partition.unwrap_or("aws").to_owned(), account: account.to_owned() })
    }

    fn timed_out(&self) -> Error {
        let seconds = self.timeout.as_secs();
        let error = match self.endpoint {
            Some(url) => Error::new(format!("{url} takes connections and did not answer within {seconds} s")),
            None => Error::new(format!("{} did not answer within {seconds} s", self.server())),
        };
        error.hint(self.connection_hint())
    }

    /// Distinguishes an endpoint that refuses connections, one that does not answer, and one that is not AWS.
    fn explain(&self, error: AwsError) -> Error {
        match error.transport {
            Some(Transport::NotConnected) => {
                let error = match self.endpoint {
                    Some(url) => Error::new(format!("nothing answers at {url}: {}", error.message)),
                    None => Error::new(format!(
                        "AWS's endpoint in region {} cannot be reached: {}",
                        self.region, error.message
                    )),
                };
                error.hint(self.connection_hint())
            }
            Some(Transport::Unreadable) => {
                Error::new(format!("the server at {} is not AWS: {}", self.server(), error.message))
                    .hint(self.connection_hint())
            }
            Some(_) => Error::from(error).hint(self.connection_hint()),
            None if self.lacks_token && error.code == "InvalidClientTokenId" => Error::from(error).hint(
                "The access key begins with ASIA, so that it is a temporary one: set AWS_SESSION_TOKEN too, or \
                 aws_session_token in the profile.",
            ),
            None if error.is_throttle() => {
                Error::from(error).hint("Too many calls come from this account: try again later.")
            }
            None => error.into(),
        }
    }

    fn connection_hint(&self) -> Hint {
        match self.endpoint {
            Some(_) => Hint::from(
                "Check the endpoint (--endpoint-url, AWS_ENDPOINT_URL or the profile's endpoint_url); ",
            )
            .command(Verb::LocalStart)
            .text(" starts the local AWS."),
            None => {
                "Check the network, the proxy settings (HTTPS_PROXY, NO_PROXY) and the region's name.".into()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::refusal;
    use std::cell::{Cell, RefCell};

    fn refused(status: u16, code: &str, message: &str) -> Box<AwsError> {
        Box::new(AwsError { status: Some(status), ..refusal(code, message) })
    }

    fn account(account: &str) -> GetCallerIdentityOutput {
        let arn = "arn:aws-cn:iam::123456789012:user/x";
        GetCallerIdentityOutput::builder().account(account).arn(arn).build()
    }

    fn query<'a>(stop: &'a Stop, endpoint: Option<&'a str>) -> IdentityQuery<'a> {
        IdentityQuery {
            endpoint,
            region: "us-east-1",
            lacks_token: false,
            stop,
            timeout: Duration::from_secs(60),
        }
    }

    /// Runs the query against these results, of which the last one repeats. Returns the caller and the notices.
    async fn run(query: &IdentityQuery<'_>, script: Vec<IdentityResult>) -> (Result<Caller>, Vec<String>) {
        let script = RefCell::new(script);
        let notices = RefCell::new(Vec::new());
        let attempt = async || {
            let mut script = script.borrow_mut();
            if script.len() > 1 {
                script.remove(0)
            } else {
                script.pop().unwrap_or_else(|| Err(refused(400, "Throttling", "Rate exceeded")))
            }
        };
        let caller = query.run(attempt, |line| notices.borrow_mut().push(line.to_owned())).await;
        (caller, notices.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_a_slow_response_until_the_timeout() {
        for (seconds, arrives) in [(1, true), (50, true), (70, false)] {
            let stop = Stop::default();
            let notices = Cell::new(0);
            let attempt = async || {
                pause(&Stop::default(), Duration::from_secs(seconds)).await.unwrap();
                Ok(account("123456789012"))
            };
            let start = Instant::now();
            let caller =
                query(&stop, Some("http://x")).run(attempt, |_| notices.set(notices.get() + 1)).await;
            assert_eq!(notices.get(), u32::from(seconds > 3), "one notice for each wait");
            assert!(start.elapsed() <= Duration::from_secs(60), "{:?}", start.elapsed());
            match caller {
                Ok(caller) => {
                    assert!(arrives);
                    assert_eq!(
                        (caller.account.as_str(), caller.partition.as_str()),
                        ("123456789012", "aws-cn")
                    );
                }
                Err(error) => {
                    assert!(!arrives);
                    assert_eq!(
                        error.to_string(),
                        "http://x takes connections and did not answer within 60 s"
                    );
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_out_throttling_and_tells_the_user() {
        let stop = Stop::default();
        let throttled = || refused(400, "Throttling", "Rate exceeded");
        let mut script: Vec<IdentityResult> = (0..4).map(|_| Err(throttled())).collect();
        script.push(Ok(account("123456789012")));
        let (caller, notices) = run(&query(&stop, None), script).await;
        assert!(caller.is_ok());
        assert_eq!(notices, ["trying AWS in us-east-1 again: Rate exceeded"; 4]);
        let (caller, _) = run(&query(&stop, None), vec![]).await;
        let error = caller.unwrap_err();
        assert!(
            error.has_code("Throttling") && crate::testing::hints(&error)[0].contains("try again later"),
            "{error}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn tries_three_times_after_server_errors() {
        let stop = Stop::default();
        let broken = || refused(500, "InternalFailure", "down");
        let (caller, notices) =
            run(&query(&stop, None), vec![Err(broken()), Err(broken()), Ok(account("123456789012"))]).await;
        assert!(caller.is_ok() && notices.len() == 2);
        let (caller, notices) = run(&query(&stop, None), (0..9).map(|_| Err(broken())).collect()).await;
        assert!(caller.unwrap_err().has_code("InternalFailure") && notices.len() == 2);
    }

    #[tokio::test(start_paused = true)]
    async fn refuses_an_account_without_twelve_digits() {
        let stop = Stop::default();
        for wrong in ["", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
            let (caller, _) = run(&query(&stop, Some("http://x")), vec![Ok(account(wrong))]).await;
            let error = caller.unwrap_err();
            assert!(
                error.to_string().starts_with("http://x does not say whose credentials these are"),
                "{error}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn hints_at_the_missing_session_token_of_a_temporary_key() {
        let stop = Stop::default();
        let unknown =
            || refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        for lacks_token in [false, true] {
            let query = IdentityQuery { lacks_token, ..query(&stop, None) };
            let error = run(&query, vec![Err(unknown())]).await.0.unwrap_err();
            let hints = crate::testing::hints(&error).join("\n");
            assert_eq!(hints.contains("set AWS_SESSION_TOKEN too"), lacks_token, "{hints}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn distinguishes_no_server_from_a_server_that_is_not_aws() {
        let stop = Stop::default();
        let failed = |transport| {
            Err(Box::new(AwsError { transport: Some(transport), status: None, ..refusal("", "no") }))
        };
        let script = vec![failed(Transport::NotConnected), failed(Transport::NotConnected)];
        let (caller, notices) = run(&query(&stop, Some("http://x")), script).await;
        let error = caller.unwrap_err();
        assert!(error.to_string().starts_with("nothing answers at http://x: "), "{error}");
        assert_eq!(notices, [""; 0], "no second attempt");
        let script = (0..3).map(|_| failed(Transport::Unreadable)).collect();
        let error = run(&query(&stop, Some("http://x")), script).await.0.unwrap_err();
        assert_eq!(error.to_string(), "the server at http://x is not AWS: no");
    }
}
