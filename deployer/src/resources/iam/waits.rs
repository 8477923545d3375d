//! Retry policies and waits for IAM, and for the services that assume its roles.

use crate::error::AwsError;
use crate::time::{Cadence, Passing, ms, secs};

/// IAM is eventually consistent: something just created is not known everywhere at once.
pub(crate) static IAM_NOT_YET_VISIBLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to know what was just created",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: |e| e.code == "NoSuchEntity" && !is_about_boundary(e) || iam_is_changing(e),
};

/// IAM is still making another change to the same or a related entity.
pub(crate) static IAM_BUSY: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to finish another change",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: iam_is_changing,
};

/// A detachment is not known everywhere at once, and until then IAM refuses the deletion. A role in an instance
/// profile is no such case, because nothing here takes it out.
pub(crate) static IAM_STILL_DETACHING: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to know what was just detached",
        first: ms(250),
        longest: secs(2),
        within: secs(120),
    },
    applies: |e| e.code == "DeleteConflict" && !e.message.contains("instance profile") || iam_is_changing(e),
};

/// IAM replicates a new role worldwide, and Lambda refuses it until then: usually 5 to 15 s, observed up to over a
/// minute. It is tried often at first, because everything else is done by then, and less often later
/// (`retry_backing_off`).
pub(crate) static ROLE_NOT_YET_ASSUMABLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to let Lambda assume the role",
        first: ms(250),
        longest: ms(300),
        within: secs(180),
    },
    applies: role_refused,
};

/// The same refusal for a role that this run did not touch. A wrong trust policy is more likely, so the wait is short.
pub(crate) static ROLE_NOT_ASSUMABLE: Passing = Passing {
    cadence: Cadence {
        reason: "IAM to let Lambda assume the role",
        first: ms(250),
        longest: secs(2),
        within: secs(20),
    },
    applies: role_refused,
};

/// Lambda refuses tracing while the role may not write traces. The same run creates or changes the role's policy
/// meanwhile.
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

/// IAM calls a permissions boundary a scope. No run creates one, so waiting for a missing one is useless.
pub(crate) fn is_about_boundary(e: &AwsError) -> bool {
    e.message.contains("Scope ARN")
}

fn iam_is_changing(e: &AwsError) -> bool {
    matches!(e.code.as_str(), "ConcurrentModification" | "EntityTemporarilyUnmodifiable")
}

fn role_refused(e: &AwsError) -> bool {
    e.code == "InvalidParameterValueException"
        && ["cannot be assumed by Lambda", "KMS key is invalid for CreateGrant"]
            .iter()
            .any(|text| e.message.contains(text))
}
