//! How the process ends.

/// What the exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// Everything went well.
    Success,
    /// Something went wrong and nothing was changed by it, or everything else went through.
    Failed,
    /// The command line or the manifest is wrong.
    Usage,
    /// Some changes were made and some were not.
    Partial,
    /// `--exit-code` was given and something differs, or a comparison found a regression.
    Different,
}

impl ExitStatus {
    /// The process's exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Different => 4,
        }
    }
}
