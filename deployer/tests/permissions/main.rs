//! `policies/deployer-policy.json` is all that a person needs to be granted, against an AWS that checks.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod document;
mod enforced;
mod user;
