//! The stack's whole life on the local AWS, through the real binary, with every call watched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blocked;
mod copies;
mod down;
mod elsewhere;
mod foreign;
mod hints;
mod lab;
mod limits;
mod own_function;
mod policy;
mod protected;
mod restart;
mod routes;
mod unchanged;
