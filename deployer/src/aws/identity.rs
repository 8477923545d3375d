//! Whose credentials these are: the first call, where a bad network, a bad endpoint and bad credentials show.

use crate::error::{AwsError, Error, Hint, Result, Transport, Verb};
use crate::time::{Stop, at_most, pause, unless_stopped};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;

/// From then on people are told what is waited for.
const SILENT: Duration = Duration::from_secs(3);

/// Before the second try. Each pause is twice the one before it, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// Tries of a call whose answer was lost, or that broke. What comes too often is tried until the time is up.
const TRIES: u32 = 3;

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Caller {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub(super) partition: String,
    /// Twelve digits.
    pub(super) account: String,
}

/// What is asked, and with what.
pub(super) struct Asked<'a> {
    /// Another endpoint than AWS's own.
    pub(super) endpoint: Option<&'a str>,
    pub(super) region: &'a str,
    /// Whether the access key is a temporary one that came without its session token.
    pub(super) lacks_token: bool,
    pub(super) stop: &'a Stop,
    pub(super) timeout: Duration,
}

type Answer = Result<GetCallerIdentityOutput, Box<AwsError>>;

impl Asked<'_> {
    /// Asks until somebody answers who is calling. `ask` makes one call, `talk` says what is waited for.
    ///
    /// # Errors
    /// Nobody there; no answer within the time; an answer that is not STS's; a refusal; Ctrl-C.
    pub(super) async fn caller(
        &self,
        mut ask: impl AsyncFnMut() -> Answer,
        talk: impl Fn(&str),
    ) -> Result<Caller> {
        let end = Instant::now() + self.timeout;
        let left = || end.saturating_duration_since(Instant::now());
        let (mut length, mut tries) = (FIRST_PAUSE, 0);
        loop {
            let answer = {
                let mut asked = pin!(unless_stopped(self.stop, ask()));
                match at_most(SILENT.min(left()), asked.as_mut()).await {
                    Some(answer) => Some(answer?),
                    None => {
                        talk(&format!("waiting for {} to answer", self.place()));
                        at_most(left(), asked).await.transpose()?
                    }
                }
            };
            let Some(answer) = answer else { return Err(self.silent()) };
            let error = match answer {
                Ok(identity) => return self.read(&identity),
                Err(error) => *error,
            };
            tries += 1;
            let passes = error.is_throttle() || error.outcome_unknown() && tries < TRIES;
            if !passes || length > left() {
                return Err(self.explain(error));
            }
            talk(&format!("trying {} again: {}", self.place(), error.message));
            pause(self.stop, length).await?;
            length = (length * 2).min(LONGEST_PAUSE);
        }
    }

    fn place(&self) -> String {
        match self.endpoint {
            Some(url) => url.to_owned(),
            None => format!("AWS in {}", self.region),
        }
    }

    /// Every ARN is made of the account, and the caller's own ARN names the partition, so that no list of regions is
    /// needed.
    fn read(&self, identity: &GetCallerIdentityOutput) -> Result<Caller> {
        let account = identity.account().unwrap_or_default();
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Error::new(format!(
                "{} does not say whose credentials these are: its account {account:?} has not twelve digits",
                self.place()
            ))
            .hint(self.check()));
        }
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).filter(|name| !name.is_empty());
        Ok(Caller { partition: partition.unwrap_or("aws").to_owned(), account: account.to_owned() })
    }

    fn silent(&self) -> Error {
        let seconds = self.timeout.as_secs();
        let error = match self.endpoint {
            Some(url) => Error::new(format!("{url} takes connections and did not answer within {seconds} s")),
            None => Error::new(format!("{} did not answer within {seconds} s", self.place())),
        };
        error.hint(self.check())
    }

    /// Who is not there is told from who does not answer, and from who is somebody else.
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
                error.hint(self.check())
            }
            Some(Transport::Unreadable) => {
                Error::new(format!("what answers at {} is not AWS: {}", self.place(), error.message))
                    .hint(self.check())
            }
            Some(_) => Error::from(error).hint(self.check()),
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

    fn check(&self) -> Hint {
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

    fn asked<'a>(stop: &'a Stop, endpoint: Option<&'a str>) -> Asked<'a> {
        Asked { endpoint, region: "us-east-1", lacks_token: false, stop, timeout: Duration::from_secs(60) }
    }

    /// The answers one after the other, the last for ever; what was said meanwhile.
    async fn answers(asked: &Asked<'_>, script: Vec<Answer>) -> (Result<Caller>, Vec<String>) {
        let script = RefCell::new(script);
        let told = RefCell::new(Vec::new());
        let ask = async || {
            let mut script = script.borrow_mut();
            if script.len() > 1 {
                script.remove(0)
            } else {
                script.pop().unwrap_or_else(|| Err(refused(400, "Throttling", "Rate exceeded")))
            }
        };
        let caller = asked.caller(ask, |line| told.borrow_mut().push(line.to_owned())).await;
        (caller, told.into_inner())
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_answer_is_waited_for_as_long_as_the_timeout_says() {
        for (seconds, arrives) in [(1, true), (50, true), (70, false)] {
            let stop = Stop::default();
            let told = Cell::new(0);
            let ask = async || {
                pause(&Stop::default(), Duration::from_secs(seconds)).await.unwrap();
                Ok(account("123456789012"))
            };
            let begun = Instant::now();
            let caller = asked(&stop, Some("http://x")).caller(ask, |_| told.set(told.get() + 1)).await;
            assert_eq!(told.get(), u32::from(seconds > 3), "who waits is told so once");
            assert!(begun.elapsed() <= Duration::from_secs(60), "{:?}", begun.elapsed());
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
    async fn throttling_is_waited_out_and_said() {
        let stop = Stop::default();
        let throttled = || refused(400, "Throttling", "Rate exceeded");
        let mut script: Vec<Answer> = (0..4).map(|_| Err(throttled())).collect();
        script.push(Ok(account("123456789012")));
        let (caller, told) = answers(&asked(&stop, None), script).await;
        assert!(caller.is_ok());
        assert_eq!(told, ["trying AWS in us-east-1 again: Rate exceeded"; 4]);
        let (caller, _) = answers(&asked(&stop, None), vec![]).await;
        let error = caller.unwrap_err();
        assert!(
            error.has_code("Throttling") && crate::testing::hints(&error)[0].contains("try again later"),
            "{error}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_breaks_is_tried_three_times() {
        let stop = Stop::default();
        let broken = || refused(500, "InternalFailure", "down");
        let (caller, told) =
            answers(&asked(&stop, None), vec![Err(broken()), Err(broken()), Ok(account("123456789012"))])
                .await;
        assert!(caller.is_ok() && told.len() == 2);
        let (caller, told) = answers(&asked(&stop, None), (0..9).map(|_| Err(broken())).collect()).await;
        assert!(caller.unwrap_err().has_code("InternalFailure") && told.len() == 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_account_without_twelve_digits_is_refused() {
        let stop = Stop::default();
        for wrong in ["", "12345678901", "1234567890123", "12345678901x", "１２３４"] {
            let (caller, _) = answers(&asked(&stop, Some("http://x")), vec![Ok(account(wrong))]).await;
            let error = caller.unwrap_err();
            assert!(
                error.to_string().starts_with("http://x does not say whose credentials these are"),
                "{error}"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_temporary_key_without_its_token_is_told_so() {
        let stop = Stop::default();
        let unknown =
            || refused(403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        for lacks_token in [false, true] {
            let asked = Asked { lacks_token, ..asked(&stop, None) };
            let error = answers(&asked, vec![Err(unknown())]).await.0.unwrap_err();
            let hints = crate::testing::hints(&error).join("\n");
            assert_eq!(hints.contains("set AWS_SESSION_TOKEN too"), lacks_token, "{hints}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_is_told_from_somebody_else() {
        let stop = Stop::default();
        let failed = |transport| {
            Err(Box::new(AwsError { transport: Some(transport), status: None, ..refusal("", "no") }))
        };
        let script = vec![failed(Transport::NotConnected), failed(Transport::NotConnected)];
        let (caller, told) = answers(&asked(&stop, Some("http://x")), script).await;
        let error = caller.unwrap_err();
        assert!(error.to_string().starts_with("nothing answers at http://x: "), "{error}");
        assert_eq!(told, [""; 0], "it is not tried again");
        let script = (0..3).map(|_| failed(Transport::Unreadable)).collect();
        let error = answers(&asked(&stop, Some("http://x")), script).await.0.unwrap_err();
        assert_eq!(error.to_string(), "what answers at http://x is not AWS: no");
    }
}
