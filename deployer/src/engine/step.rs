//! What a resource gets to work with: AWS, a way to call it, and a voice.

use super::Mode;
use super::shared::Shared;
use crate::aws::Aws;
use crate::error::{AwsError, Error, Result};
use crate::report::{Event, Reporter};
use crate::resource::Id;
use crate::retry::{Stop, interrupted, pause};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// A shorter wait for a quota ends before it is read, and there may be hundreds of them.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// What a resource may use while it is being worked on: AWS, and a voice.
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
    /// Makes one call. Every call goes through here, so that none starts after Ctrl-C and each error names itself.
    ///
    /// `operation` is the service, as in IAM's actions, and AWS's name of the operation. A request is lazy: nothing is sent before this awaits it.
    pub(crate) async fn call<T, E>(
        &self,
        operation: &'static str,
        request: impl Future<Output = Result<T, SdkError<E, Response>>>,
    ) -> Result<T>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        if self.mode == Mode::Apply && self.stop.is_set() {
            return Err(interrupted());
        }
        if let Some((length, quota)) = self.aws.pace.reserve(operation) {
            if self.deadline_passes_within(length) {
                let seconds = length.as_millis().div_ceil(1000);
                return Err(Error::new(format!(
                    "{operation} was not called: {} leaves it {seconds} s to wait, longer than --timeout allows",
                    quota.reason
                )));
            }
            if length >= WORTH_SAYING {
                self.waiting_for(quota.reason, Duration::ZERO, length);
            }
            pause(self.stop, length).await?;
        }
        while let Some(length) = self.aws.pace.send(operation) {
            pause(self.stop, length).await?;
        }
        request.await.map_err(|error| {
            let error = AwsError::new(operation, &error);
            if error.is_throttle() {
                self.aws.pace.give_back(operation);
            }
            error.into()
        })
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
