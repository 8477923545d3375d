//! What AWS is like while something is measured.

use crate::stack::Operation;
use clap::ValueEnum;
use std::fmt;
use std::time::Duration;
use support::proxy::Behaviour;

/// Of each call: about what AWS takes for one, with the way there.
const LATENCY: Duration = Duration::from_millis(80);

/// How AWS is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Condition {
    /// As fast as this machine.
    Local,
    /// Each call takes 80 ms.
    Far,
    /// The same, and what is made takes its time to be ready.
    Slow,
    /// As far, with the project's own package, which was built before.
    Package,
}

impl Condition {
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::value_variants().iter().copied()
    }

    pub(crate) fn behaviour(self) -> Behaviour {
        let far = Behaviour { latency: LATENCY, ..Behaviour::default() };
        match self {
            Self::Local => Behaviour::default(),
            Self::Far | Self::Package => far,
            Self::Slow => Behaviour {
                role: Duration::from_secs(8),
                function: Duration::from_secs(3),
                table: Duration::from_secs(6),
                ..far
            },
        }
    }

    /// What is worth measuring.
    pub(crate) fn operations(self) -> &'static [Operation] {
        match self {
            Self::Local | Self::Far => Operation::value_variants(),
            Self::Slow => &[Operation::ColdUp],
            Self::Package => &[Operation::ColdUp, Operation::NothingToDo, Operation::Plan],
        }
    }

    pub(crate) fn builds_package(self) -> bool {
        self == Self::Package
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Local => "0 ms per call",
            Self::Far => "80 ms per call",
            Self::Slow => {
                "80 ms per call; role assumable after 8 s, function active after 3 s, table after 6 s"
            }
            Self::Package => "80 ms per call, with the Cargo package, which is fresh",
        })
    }
}
