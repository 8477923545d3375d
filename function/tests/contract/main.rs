//! Tests of the contract with the real `bootstrap`.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on has failed"
)]

mod bad_input;
mod corpus;
mod error_patterns;
mod log;
mod proxy;
mod support;
mod traffic;
mod typed_payload;
