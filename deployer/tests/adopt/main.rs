//! A stack that somebody made by hand is taken over: only when asked to, with its data, its API and its URL, and
//! without a request that fails meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod by_hand;
mod choosing;
mod taking_over;
