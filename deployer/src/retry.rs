//! The only place that waits. Every wait has a reason that people see, a cadence, and an end.
//!
//! The SDK tries again what did not get through or broke (`aws.rs` sets how). What AWS refuses is tried again from here,
//! throttling too, and here are the waits that only a deployer knows: AWS has accepted something and is not done with it.

mod stop;

pub(crate) use stop::Stop;

use crate::engine::Step;
use crate::error::{AwsError, Error, ErrorKind, Result};
use futures_util::future::Either;
use std::pin::pin;
use std::time::Duration;
use tokio::time::Instant;

/// How often to look, and for how long.
#[derive(Debug)]
pub(crate) struct Cadence {
    /// What is being waited for, to follow "waiting for".
    pub(crate) reason: &'static str,
    /// Before the second look. The first is at once.
    pub(crate) first: Duration,
    /// Each pause is twice the one before it, up to this.
    pub(crate) longest: Duration,
    /// After this, the last answer stands.
    pub(crate) within: Duration,
}

/// A refusal of AWS's that passes by itself.
#[derive(Debug)]
pub(crate) struct Passing {
    pub(crate) cadence: Cadence,
    pub(crate) applies: fn(&AwsError) -> bool,
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// IAM spreads a new role worldwide, and Lambda refuses it until then: usually 5 to 15 s, seen over a minute. Asked
/// often at first, because everything else is done by then; `retry_backing_off` makes it less often.
pub(crate) static ROLE_NOT_YET_ASSUMABLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to let Lambda assume the role",
        first: ms(250),
        longest: ms(300),
        within: secs(180),
    },
    applies: role_refused,
};

/// The same refusal of a role that this run did not touch: more likely a wrong trust policy, so not for minutes.
pub(crate) static ROLE_NOT_ASSUMABLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to let Lambda assume the role",
        first: ms(250),
        longest: secs(2),
        within: secs(20),
    },
    applies: role_refused,
};

fn role_refused(e: &AwsError) -> bool {
    e.code == "InvalidParameterValueException"
        && ["cannot be assumed by Lambda", "KMS key is invalid for CreateGrant"]
            .iter()
            .any(|text| e.message.contains(text))
}

/// Lambda refuses to trace for a role that may not, and the role's policy is made or changed meanwhile by the same run.
pub(crate) static ROLE_NOT_YET_ALLOWED: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to let the role do what its policy grants",
        first: ms(250),
        longest: secs(1),
        within: secs(120),
    },
    applies: |e| {
        e.code == "InvalidParameterValueException"
            && e.message.contains("execution role does not have permissions to call")
    },
};

/// What IAM has just created is not known everywhere at once.
pub(crate) static IAM_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to know what was just created",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: |e| e.code == "NoSuchEntity" && !is_about_boundary(e) || iam_is_changing(e),
};

/// IAM calls a permissions boundary a scope. No run makes one, so that one which is not there will not come.
pub(crate) fn is_about_boundary(e: &AwsError) -> bool {
    e.message.contains("Scope ARN")
}

/// IAM is still at another change, of the same thing or of what it has to do with.
pub(crate) static IAM_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to finish another change",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: iam_is_changing,
};

/// A detachment is not known everywhere at once, and until then IAM refuses to delete what was attached. An instance
/// profile is somebody else's, and nobody here takes the role out of it.
pub(crate) static IAM_STILL_DETACHING: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to know what was just detached",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: |e| e.code == "DeleteConflict" && !e.message.contains("instance profile") || iam_is_changing(e),
};

fn iam_is_changing(e: &AwsError) -> bool {
    matches!(e.code.as_str(), "ConcurrentModification" | "EntityTemporarilyUnmodifiable")
}

/// Lambda takes one change of a function at a time. "Function already exist" has the same code and never passes.
pub(crate) static FUNCTION_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "Lambda to finish the previous change of the function",
        first: ms(250),
        longest: secs(2),
        within: secs(300),
    },
    applies: |e| {
        e.code == "ResourceConflictException"
            && ["in progress", "Pending", "concurrent update"].iter().any(|text| e.message.contains(text))
    },
};

/// A function that has just been created may not be known to the next call, nor to one after that. What stays unknown is gone.
pub(crate) static FUNCTION_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "Lambda to know the function",
        first: ms(250),
        longest: secs(2),
        within: secs(30),
    },
    applies: |e| e.code == "ResourceNotFoundException",
};

/// API Gateway lets one change of an API through at a time.
pub(crate) static API_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "API Gateway to finish another change of the API",
        first: ms(500),
        longest: secs(8),
        within: secs(300),
    },
    applies: |e| e.code == "ConflictException" && e.message.contains("try again later"),
};

/// Another run has made an API at the same moment, and either takes it back or deploys it, within seconds.
pub(crate) static OTHER_RUN_DECIDES: Cadence = Cadence {
    reason: "another run, which made the API at the same moment",
    first: ms(250),
    longest: secs(2),
    within: secs(60),
};

/// A definition that was put is usually there at once.
pub(crate) static DEFINITION_TAKEN: Cadence = Cadence {
    reason: "API Gateway to show the definition that was put",
    first: ms(250),
    longest: secs(2),
    within: secs(15),
};

/// API Gateway's control plane is slow to let calls through: one DeleteRestApi in 30 s.
pub(crate) static THROTTLED: Passing = Passing {
    cadence: Cadence {
        reason: "AWS's call rate limit",
        first: secs(1),
        longest: secs(31),
        within: secs(600),
    },
    applies: AwsError::is_throttle,
};

/// `DynamoDB` tells what it knows of a table sooner or later: what one call shows, the next may not know yet. What stays
/// unknown is gone.
pub(crate) static TABLE_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to know the table",
        first: ms(50),
        longest: secs(1),
        within: secs(30),
    },
    applies: |e| matches!(e.code.as_str(), "ResourceNotFoundException" | "TableNotFoundException"),
};

/// A table takes one change at a time, and none while it is being made. An index takes minutes even over a few items, and
/// more over many.
pub(crate) static TABLE_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "DynamoDB to finish the previous change of the table",
        first: ms(500),
        longest: secs(4),
        within: secs(1800),
    },
    applies: |e| {
        e.code == "ResourceInUseException" && !e.message.contains("already exists")
            // So many at once; so many in all is another limit, under the same code.
            || e.code == "LimitExceededException" && e.message.contains("simultaneously")
            || e.message.contains("Please retry later")
    },
};

/// Auto scaling refuses a second change while the first is under way.
pub(crate) static SCALING_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "auto scaling to finish another change",
        first: ms(500),
        longest: secs(4),
        within: secs(120),
    },
    applies: |e| e.code == "ConcurrentUpdateException",
};

/// Application Auto Scaling is eventually consistent, and makes its service-linked role when an account first uses it: until
/// the two and the table know of each other, it refuses ("`RegisterScalableTarget`" in its API reference; the messages are
/// those that Terraform's provider waits out).
pub(crate) static SCALING_NOT_YET_READY: Passing = Passing {
    cadence: Cadence {
        reason: "auto scaling to be ready for the table",
        first: ms(500),
        longest: secs(4),
        within: secs(120),
    },
    applies: |e| {
        let says_any = |texts: &[&str]| texts.iter().any(|text| e.message.contains(text));
        match e.code.as_str() {
            "ObjectNotFoundException" => true,
            "ValidationException" => says_any(&["Unable to assume IAM role", "table does not exist"]),
            "FailedResourceAccessException" => {
                says_any(&["is not authorized to perform", "token included in the request is invalid"])
            }
            _ => false,
        }
    },
};

/// What one call has just created, the next may not know yet. What stays unknown is gone.
pub(crate) static LOG_GROUP_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "CloudWatch Logs to know the log group",
        first: ms(250),
        longest: secs(2),
        within: secs(30),
    },
    applies: |e| e.code == "ResourceNotFoundException",
};

/// `down` has deleted everything, and lists of AWS may still show some of it.
pub(crate) static ALL_GONE: Cadence = Cadence {
    reason: "AWS to show that everything is gone",
    first: ms(500),
    longest: secs(4),
    within: secs(15),
};

/// Somebody else is changing the same log group.
pub(crate) static LOG_GROUP_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "CloudWatch Logs to finish another change",
        first: ms(250),
        longest: secs(2),
        within: secs(60),
    },
    applies: |e| e.code == "OperationAbortedException",
};

/// A call's answer was lost, contradicts what was seen before it, or promises more than it keeps. AWS shows the truth within
/// seconds.
pub(crate) static ANSWER_UNCLEAR: Cadence = Cadence {
    reason: "AWS to show whether the last call was applied",
    first: ms(250),
    longest: secs(4),
    within: secs(60),
};

/// A table is usually made in 10 to 30 s. The SDK's own waiter looks only every 20 s.
pub(crate) static TABLE_ACTIVE: Cadence =
    Cadence { reason: "the table to become active", first: ms(50), longest: secs(1), within: secs(1800) };

/// A new table's tags are visible some seconds after it.
pub(crate) static TABLE_TAGS: Cadence = Cadence {
    reason: "DynamoDB to show the table's tags",
    first: ms(500),
    longest: secs(4),
    within: secs(10),
};

/// Deleting takes as long as creating.
pub(crate) static TABLE_GONE: Cadence =
    Cadence { reason: "the table to be gone", first: ms(50), longest: secs(1), within: secs(1800) };

/// A new function is pending for a second or two, and its permission and the proof wait for it. Lambda lets a hundred of
/// these looks a second through.
pub(crate) static FUNCTION_READY: Cadence = Cadence {
    reason: "Lambda to make the function ready",
    first: ms(50),
    longest: ms(100),
    within: secs(300),
};

/// Deleting a function may be asynchronous.
pub(crate) static FUNCTION_GONE: Cadence =
    Cadence { reason: "the function to be gone", first: ms(250), longest: secs(2), within: secs(600) };

/// A deployed API answers 403 or the old way until every edge knows it. AWS names no figure; tools allow a minute.
pub(crate) static API_ANSWERS: Cadence =
    Cadence { reason: "the deployed API to answer", first: ms(250), longest: secs(2), within: secs(90) };

/// By then AWS shows everywhere what has been made; the next looks come after twice as long, and so on.
const FIRST_CHECK: Duration = secs(10);

/// Reports of a function are in its log some seconds after the invocations. Somebody waits for a result that is there.
pub(crate) static FUNCTION_REPORTS: Cadence = Cadence {
    reason: "CloudWatch Logs to have the function's reports",
    first: ms(500),
    longest: secs(4),
    within: secs(30),
};

/// What a load has made is deleted through the API that it has just loaded, which may turn that away for a while.
pub(crate) static LOAD_TAKEN_BACK: Cadence =
    Cadence { reason: "the API to take the deletions", first: ms(500), longest: secs(8), within: secs(120) };

/// `tune` does not leave a function as it should not stay because a network was gone for a while.
pub(crate) static SETTING_BACK: Cadence =
    Cadence { reason: "AWS to be reached again", first: secs(1), longest: secs(8), within: secs(600) };

/// The error of everything that did not start because of Ctrl-C.
pub(crate) fn interrupted() -> Error {
    Error::of(ErrorKind::Partial, "interrupted")
}

/// The pause before a call is repeated that has been refused for so long, and sends so many bytes: at first none, then a
/// second, then two; and never more than 4 MB a second are sent for nothing.
fn least_pause(waited: Duration, bytes: usize) -> Duration {
    const BYTES_A_SECOND: u64 = 4_000_000;
    let by_time = match waited.as_secs() {
        0..5 => 0,
        5..15 => 1,
        _ => 2,
    };
    let by_size = ms(u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / BYTES_A_SECOND);
    secs(by_time).max(by_size.min(secs(10)))
}

/// Pauses. Ends early, and with an error, when Ctrl-C comes.
pub(crate) async fn pause(stop: &Stop, length: Duration) -> Result<()> {
    let woken = pin!(stop.woken());
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(
        clippy::disallowed_methods,
        reason = "the one timer of this program; it bounds a wait, not a call"
    )]
    let slept = tokio::time::timeout(length, woken).await;
    if slept.is_ok() { Err(interrupted()) } else { Ok(()) }
}

/// Runs something that changes nothing until Ctrl-C comes.
///
/// # Errors
/// Ctrl-C.
pub(crate) async fn unless_stopped<T>(stop: &Stop, waits: impl Future<Output = T>) -> Result<T> {
    let (woken, waits) = (pin!(stop.woken()), pin!(waits));
    if stop.is_set() {
        return Err(interrupted());
    }
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    match futures_util::future::select(waits, woken).await {
        Either::Left((value, _)) => Ok(value),
        Either::Right(_) => Err(interrupted()),
    }
}

/// Bounds a future that changes nothing: a look-up of credentials, a read, a local process.
pub(crate) async fn at_most<T>(length: Duration, read: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "callers pass futures that may be dropped at any point")]
    tokio::time::timeout(length, read).await.ok()
}

/// Gives up on the answer to a request that may change something. Whoever calls says that it may have been carried out.
pub(crate) async fn answer_within<T>(length: Duration, request: impl Future<Output = T>) -> Option<T> {
    #[expect(clippy::disallowed_methods, reason = "the answer is lost, not the request")]
    tokio::time::timeout(length, request).await.ok()
}

/// The pauses of one wait.
pub(crate) struct Pauses {
    cadence: &'static Cadence,
    started: Instant,
    next: Duration,
}

impl Pauses {
    pub(crate) fn new(cadence: &'static Cadence) -> Self {
        Self { cadence, started: Instant::now(), next: cadence.first }
    }

    /// Waits for the next look, at least as long as AWS asked for; false when the time is up.
    ///
    /// # Errors
    /// Ctrl-C.
    pub(crate) async fn wait(&mut self, step: &Step<'_>, asked: Option<Duration>) -> Result<bool> {
        let waited = self.started.elapsed();
        // Two runs that were refused together should not come back together.
        let jittered = self.next.mul_f64(0.75 + fastrand::f64() / 2.0);
        let length = asked.unwrap_or_default().max(jittered);
        if waited + length > self.cadence.within || step.deadline_passes_within(length) {
            return Ok(false);
        }
        step.waiting_for(self.cadence.reason, waited, length);
        pause(step.stop, length).await?;
        self.next = (self.next * 2).min(self.cadence.longest);
        Ok(true)
    }

    /// For the error at the end.
    pub(crate) fn gave_up(&self) -> String {
        format!("gave up after {} s of waiting for {}", self.started.elapsed().as_secs(), self.cadence.reason)
    }
}

impl Step<'_> {
    /// Repeats a call while AWS refuses it for a reason that passes by itself. Throttling always does.
    ///
    /// # Errors
    /// Any other refusal at once. When the time is up, AWS's last answer.
    pub(crate) async fn retry<T>(
        &self,
        passing: &[&'static Passing],
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.retry_checking(passing, async || Ok(()), call).await
    }

    /// The same, and when it takes long, has a closer look now and then: another run may have taken away what this one
    /// waits for, which says so as an error, or put back what it had taken away, which is taken away again.
    ///
    /// # Errors
    /// What the closer look fails with, as well.
    pub(crate) async fn retry_checking<T>(
        &self,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |_| Duration::ZERO, check, call).await
    }

    /// The same for a call that is asked often at first, because its wait is usually short, and less often later: it takes
    /// its share of what the account may call, and `bytes` are sent each time.
    ///
    /// # Errors
    /// As above.
    pub(crate) async fn retry_backing_off<T>(
        &self,
        bytes: usize,
        passing: &[&'static Passing],
        check: impl AsyncFnMut() -> Result<()>,
        call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        self.repeat(passing, |waited| least_pause(waited, bytes), check, call).await
    }

    /// `least` is the shortest pause after so long.
    async fn repeat<T>(
        &self,
        passing: &[&'static Passing],
        least: impl Fn(Duration) -> Duration,
        mut check: impl AsyncFnMut() -> Result<()>,
        mut call: impl AsyncFnMut() -> Result<T>,
    ) -> Result<T> {
        let (begun, mut next_check) = (Instant::now(), FIRST_CHECK);
        let mut pauses: Option<Pauses> = None;
        loop {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let Some(aws) = error.aws() else { return Err(error) };
            let Some(reason) = passing.iter().copied().chain([&THROTTLED]).find(|p| (p.applies)(aws)) else {
                return Err(error);
            };
            let asked = aws.retry_after.unwrap_or_default().max(least(begun.elapsed()));
            if begun.elapsed() >= next_check {
                check().await?;
                next_check *= 2;
            }
            // A new reason starts its own clock.
            let mut current = match pauses.take() {
                Some(pauses) if std::ptr::eq(pauses.cadence, &raw const reason.cadence) => pauses,
                _ => Pauses::new(&reason.cadence),
            };
            if !current.wait(self, Some(asked)).await? {
                return Err(error.context(&current.gave_up()));
            }
            pauses = Some(current);
        }
    }

    /// Looks until there is something to see. The first look is at once.
    ///
    /// # Errors
    /// Whatever the look fails with. When the time is up, an error that names the wait.
    pub(crate) async fn until<T>(
        &self,
        cadence: &'static Cadence,
        mut look: impl AsyncFnMut() -> Result<Option<T>>,
    ) -> Result<T> {
        let mut pauses = Pauses::new(cadence);
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            if !pauses.wait(self, None).await? {
                return Err(
                    Error::new(pauses.gave_up()).hint("Run the same command again: it goes on from here.")
                );
            }
        }
    }
}

#[cfg(test)]
mod tests;
