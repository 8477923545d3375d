//! The operation that touches no table.

use super::operation;
use crate::proof::{ExpectedAnswer, Proof};

/// Its name.
pub(super) const PING: &str = "ping";

/// What has to come back.
const PONG: &str = r#""pong""#;

/// What proves a stack with the lab's function, through the route with this path.
pub(crate) fn ping(path: &str) -> Proof {
    Proof {
        name: PING.to_owned(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        body: operation::event(PING, None, None),
        expected: ExpectedAnswer::Exactly(PONG.to_owned()),
        advice: "The lab's function answers \"pong\". If this function is not the lab's, its section of the manifest needs lab = false.",
    }
}

/// Whether a request of this name may touch a table.
pub(crate) fn touches_table(name: &str) -> bool {
    name != PING
}
