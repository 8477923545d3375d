//! Open-loop load on the stack's own URL, and what came of it.
//!
//! - `schedule`: when each request is to be sent · `mix`: what it says · `ids`: which items it is about
//! - `generator`: starts the `worker`s, threads of their own that keep to the schedule over `connection`s
//! - `cleanup`: takes back what was made
//! - `record`, `series`: what a worker notes down, and all of it together over time
//! - `result`: the measurement as a document · `compare`: two of them · `server`: what Lambda says itself
//!
//! Latency counts from the moment when a request was to be sent, not from when it was: a target that stalls makes
//! those wait that come after, and that wait is what people would see (no coordinated omission).

mod cleanup;
mod compare;
mod connection;
mod descriptors;
mod generator;
mod ids;
mod latencies;
mod mix;
mod record;
mod result;
mod schedule;
mod series;
mod server;
mod target;
mod template;
mod timer;
mod worker;

pub(crate) use cleanup::{CleanedUp, clean_up};
pub(crate) use compare::{
    Comparison, Line as ComparedLine, Verdict, check as check_comparable, read as read_result,
};
pub(crate) use descriptors::reserve as reserve_descriptors;
pub(crate) use generator::{Plan, Progress, run};
pub(crate) use ids::RunId;
pub(crate) use mix::{BuiltIn, Mix, Request};
pub(crate) use result::{Asked, Bucket, Entry, Measurement, Percentiles};
pub(crate) use schedule::Schedule;
pub(crate) use server::{Server, nearly_all};
pub(crate) use target::Target;
