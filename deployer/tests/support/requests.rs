//! Somebody who uses the URL all the time.

use crate::aws::Lookup;
use crate::pause;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(100);

/// The local AWS kills a function's process at a change of it, also while it answers; AWS lets it finish. A process that
/// ends by itself says otherwise: with an exit status.
const CUT_OFF: [&str; 2] = ["Worker process exited immediately", "Runtime exited without providing a reason"];

/// How many answers may be cut off: one for each change of code and configuration.
const CHANGES: usize = 3;

/// Asks every 100 ms, until it is asked what came.
#[derive(Debug)]
pub struct Requests {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Requests {
    /// Begins to ask `ping`.
    pub fn to(aws: Lookup, url: String) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let started = Instant::now();
            let mut answers = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let at = started.elapsed().as_millis();
                answers.push(match aws.try_post(&url, r#"{"operation":"ping"}"#) {
                    Ok((200, body)) if body == r#""pong""# => "good".to_owned(),
                    Ok((status, body)) => format!("after {at} ms: {status} {body}"),
                    Err(error) => format!("after {at} ms: {error}"),
                });
                pause(PAUSE);
            }
            answers
        });
        Self { stop, thread }
    }

    /// Ends it: how much was asked, unless something came that is not good.
    pub fn all_good(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let answers = self.thread.join().unwrap();
        let (cut_off, answered): (Vec<&String>, Vec<&String>) =
            answers.iter().partition(|answer| CUT_OFF.iter().any(|text| answer.contains(text)));
        assert!(cut_off.len() <= CHANGES, "cut off: {cut_off:#?}");
        let bad: Vec<&String> = answered.into_iter().filter(|answer| *answer != "good").collect();
        assert!(bad.is_empty(), "of {} requests these failed: {bad:#?}", answers.len());
        answers.len()
    }
}
