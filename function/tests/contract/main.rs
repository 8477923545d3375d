//! Tests the function's contract with the real `bootstrap` executable.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a panic fails the test")]

mod corpus;
mod dynamodb_requests;
mod error_patterns;
mod invalid_events;
mod log;
mod proxy;
mod support;
mod typed_payload;
