//! The context in which one resource is worked on: AWS's clients, the way to call them, and the reporter.

use super::Mode;
use super::arn::arn_of;
use super::shared::Shared;
use crate::aws::Aws;
use crate::engine::{Event, Id, Reporter};
use crate::error::{AwsError, Error, Result};
use crate::names::is_read;
use crate::time::{Stop, answer_within, interrupted, pause};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// The shortest wait for a quota that is reported. There may be hundreds of shorter ones.
const REPORTED_FROM: Duration = Duration::from_secs(1);

/// How long a call may go unanswered before the wait is reported. Most answers come within a second.
const QUIET: Duration = Duration::from_secs(5);
const UNANSWERED: &str = "AWS to answer";

/// The least time that a read gets, also near the end of `--timeout` and after it.
const LEAST_FOR_A_READ: Duration = Duration::from_secs(5);

/// The least time that a change gets: as long as one attempt of the SDK, because it may be applied after all.
const LEAST_FOR_A_CHANGE: Duration = Duration::from_secs(60);

/// The least time that an upload of code gets. 50 MB take minutes on a slow line.
const LEAST_FOR_CODE: Duration = Duration::from_secs(600);

/// The least time that an invocation gets. A function may run for 15 minutes, and its own timeout bounds the invocation.
const LEAST_FOR_AN_INVOCATION: Duration = Duration::from_secs(1000);

/// What one resource may use while it is being worked on.
pub(crate) struct Step<'a> {
    pub(crate) aws: &'a Aws,
    pub(crate) stop: &'a Stop,
    pub(super) report: &'a dyn Reporter,
    pub(super) id: Id,
    pub(super) mode: Mode,
    pub(super) begun: Instant,
    pub(super) deadline: Instant,
    pub(crate) shared: Rc<Shared>,
}

impl Step<'_> {
    /// Makes one call. Every call goes through here, so that none starts after Ctrl-C and each error names its operation.
    ///
    /// `operation` is an IAM action such as `iam:GetRole`. Nothing is sent before this method awaits `request`.
    pub(crate) async fn call<T, E>(
        &self,
        operation: &'static str,
        request: impl Future<Output = Result<T, SdkError<E, Response>>>,
    ) -> Result<T>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        // An SDK request is large, and each future around it would hold another copy on the stack.
        let request = Box::pin(request);
        if self.mode == Mode::Apply && self.stop.is_set() {
            return Err(interrupted());
        }
        if let Some((length, quota)) = self.aws.rate_limiter.reserve(operation) {
            if self.deadline_passes_within(length) {
                let seconds = length.as_millis().div_ceil(1000);
                return Err(Error::new(format!(
                    "{operation} was not called: {} would delay it by {seconds} s, more than --timeout allows",
                    quota.reason
                )));
            }
            if length >= REPORTED_FROM {
                self.waiting_for(quota.reason, Duration::ZERO, length);
            }
            pause(self.stop, length).await?;
        }
        let number = loop {
            match self.aws.rate_limiter.send(operation) {
                Ok(number) => break number,
                Err(length) => pause(self.stop, length).await?,
            }
        };
        let within = self.time_left().max(least(operation));
        let answer = self.answer(UNANSWERED, within, request).await;
        self.aws.rate_limiter.answered(operation, number);
        let error = match answer {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(error)) => AwsError::new(operation, &error),
            None => AwsError::silent(operation, within),
        };
        if error.is_throttle() {
            self.aws.rate_limiter.give_back(operation, number);
        }
        Err(AwsError { resource: arn_of(&self.aws.scope, operation, &self.id), ..error }.into())
    }

    /// Waits at most `within` for an answer, and reports the wait when it takes more than a moment. `None` means that no
    /// answer came; the request may have been carried out all the same.
    pub(crate) async fn answer<T>(
        &self,
        reason: &'static str,
        within: Duration,
        mut request: impl Future<Output = T> + Unpin,
    ) -> Option<T> {
        let quick = answer_within(QUIET.min(within), &mut request).await;
        let rest = within.saturating_sub(QUIET);
        if quick.is_some() || rest.is_zero() {
            return quick;
        }
        self.waiting_for(reason, QUIET, rest);
        answer_within(rest, request).await
    }

    /// Says what is being waited for, how long so far, and how long at the most until the next look.
    pub(crate) fn waiting_for(&self, reason: &'static str, waited: Duration, next: Duration) {
        self.report.event(Event::Waiting { id: self.id.clone(), reason, waited, next });
    }

    /// Says how far the work is.
    pub(crate) fn progress(&self, what: String) {
        self.report.event(Event::Measuring { id: self.id.clone(), what });
    }

    /// Says what nobody expected, and what becomes of it.
    pub(crate) fn note(&self, what: String) {
        self.report.event(Event::Noted { id: self.id.clone(), what });
    }

    /// Until the command's own deadline.
    pub(crate) fn time_left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether the command's own deadline comes before a pause of this length ends.
    pub(crate) fn deadline_passes_within(&self, length: Duration) -> bool {
        Instant::now() + length > self.deadline
    }

    pub(super) fn started(&self) {
        if self.mode == Mode::Apply {
            self.report.event(Event::Started { id: self.id.clone() });
        }
    }
}

fn least(operation: &str) -> Duration {
    match operation {
        "lambda:InvokeFunction" => LEAST_FOR_AN_INVOCATION,
        "lambda:CreateFunction" | "lambda:UpdateFunctionCode" => LEAST_FOR_CODE,
        _ if is_read(operation) => LEAST_FOR_A_READ,
        _ => LEAST_FOR_A_CHANGE,
    }
}
