//! The waits for IAM and the services that assume its roles: what passes by itself, and what takes its time.

use crate::error::AwsError;
use crate::time::{Cadence, Passing, ms, secs};

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

/// IAM calls a permissions boundary a scope. No run makes one, so that one which is not there will not come.
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
