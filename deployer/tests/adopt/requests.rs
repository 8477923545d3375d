//! Somebody who uses the URL all the time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use support::aws::Lookup;

const PAUSE: Duration = Duration::from_millis(100);

/// Asks every 100 ms, until it is asked what came.
pub(crate) struct Requests {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Requests {
    pub(crate) fn to(aws: Lookup, url: String) -> Self {
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
                support::pause(PAUSE);
            }
            answers
        });
        Self { stop, thread }
    }

    /// What came that is not good, and how much was asked.
    pub(crate) fn end(self) -> (Vec<String>, usize) {
        self.stop.store(true, Ordering::Relaxed);
        let answers = self.thread.join().unwrap();
        let asked = answers.len();
        (answers.into_iter().filter(|answer| answer != "good").collect(), asked)
    }
}
