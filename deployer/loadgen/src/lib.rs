//! An open-loop HTTP load generator that measures runs and compares them.
//!
//! Requests follow a fixed schedule and never wait for earlier answers. A latency starts when the request is due, not
//! when it is sent. If the target stalls, the requests that become due meanwhile have to wait, as users would. So the
//! results are free of coordinated omission.
//!
//! A load test has four steps:
//!
//! 1. A [`LoadPlan`] describes the load: a [`RequestMix`] of [`RequestTemplate`]s to one [`Target`], on a [`Schedule`].
//! 2. [`run`] sends the load from threads of its own and returns a [`Measurement`].
//! 3. [`clean_up`] sends the undo requests for everything that the run created.
//! 4. [`Comparison`] compares a measurement with earlier ones, with bootstrapped 95 % confidence intervals.
//!
//! # Guarantees
//!
//! - A request is sent on time if a connection is free. Otherwise the delay is part of its latency.
//! - Memory hardly grows with the number of requests: histograms hold the latencies, and a run has at most 661 points in
//!   time. Only a request with an undo may take one bit.
//! - The ids of a run's items begin with its [`RunId`], which distinguishes them from all other items.
//! - An answer that is an error, late or missing is counted. It is never an [`Error`] of this crate.
//!
//! The crate is independent of the target: it knows no cloud, no deployment and no command line.

mod cleanup;
mod comparison;
mod connection;
mod error;
mod file_descriptors;
mod generator;
mod histogram;
mod item_ids;
mod measurement;
mod request_mix;
mod request_template;
mod schedule;
mod series;
mod target;
mod thread_record;
mod timer;
mod timestamp;
mod worker;

pub use cleanup::{CleanupResult, clean_up};
pub use comparison::{ComparedFigure, Comparison, Unit, Verdict, differences};
pub use error::{Error, Result};
pub use file_descriptors::reserve as reserve_file_descriptors;
pub use generator::{LoadPlan, Progress, run};
pub use histogram::LatencyHistogram;
pub use hyper::header::HeaderValue;
pub use item_ids::RunId;
pub use measurement::{
    Block, Connections, Counts, LatencyBucket, LoadParameters, Measurement, Percentiles, RequestMeasurement,
    RequestShare, SCHEMA, SeriesEntry,
};
pub use request_mix::{MAX_SHARE, RequestKind, RequestMix};
pub use request_template::RequestTemplate;
pub use rustls::pki_types::CertificateDer;
pub use schedule::Schedule;
pub use target::Target;
