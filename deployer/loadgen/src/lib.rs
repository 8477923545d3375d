//! An open-loop HTTP load generator, its measurements, and their comparison.
//!
//! Requests follow a fixed schedule and never wait for earlier answers. A latency is counted from the moment a request was
//! due, not from when it was sent: when the target stalls, the requests that fall due meanwhile wait, and users would see
//! that wait. So the results have no coordinated omission.
//!
//! A load test has four steps:
//!
//! 1. A [`LoadPlan`] says what is sent: a [`RequestMix`] of [`RequestTemplate`]s to one [`Target`], on a [`Schedule`].
//! 2. [`run`] sends it from threads of its own and returns a [`Measurement`].
//! 3. [`clean_up`] sends the undo request of everything that the run created.
//! 4. [`Comparison`] judges a measurement against earlier ones, with bootstrapped 95 % intervals.
//!
//! # Guarantees
//!
//! - Each request is sent at its time if a connection is free; if it is late, the delay is part of its latency and counted.
//! - Memory does not grow with the number of requests: latencies go into histograms, and a run has at most some hundred
//!   points in time. Only requests with an undo that certainly created nothing take a bit each.
//! - The ids of a run's items begin with its [`RunId`], so that they can be told from everything else.
//! - An answer that is an error, late or missing is counted, and is never an [`Error`] of this crate.
//!
//! The crate knows nothing of who answers: no cloud, no deployment, no command line.

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
pub use request_mix::{LARGEST_SHARE, RequestKind, RequestMix};
pub use request_template::RequestTemplate;
pub use rustls::pki_types::CertificateDer;
pub use schedule::Schedule;
pub use target::Target;
