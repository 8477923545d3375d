//! The operation that touches no table.

use crate::proof::{ExpectedAnswer, Proof};

/// What is sent, and what has to come back.
const PING: &str = r#"{"operation":"ping"}"#;
const PONG: &str = r#""pong""#;

/// What proves a stack with the lab's function, through the route with this path.
pub(crate) fn ping(path: &str) -> Proof {
    Proof {
        name: "ping".to_owned(),
        method: "POST".to_owned(),
        path: path.to_owned(),
        body: PING.to_owned(),
        expected: ExpectedAnswer::Exactly(PONG.to_owned()),
        advice: "The lab's function answers \"pong\". If this function is not the lab's, its section of the manifest needs lab = false.",
    }
}
