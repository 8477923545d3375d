//! Somebody who uses the URL all the time.

use crate::aws::Lookup;
use crate::pause;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(100);

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
        let bad: Vec<&String> = answers.iter().filter(|answer| *answer != "good").collect();
        assert!(bad.is_empty(), "of {} requests these failed: {bad:#?}", answers.len());
        answers.len()
    }
}
