//! Waits that Ctrl-C or a time limit ends.

use super::*;
use crate::error::ErrorKind;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_a_pause() {
    let stop = Stop::default();
    let start = Instant::now();
    let (paused, ()) = tokio::join!(pause(&stop, secs(3600)), async {
        pause(&Stop::default(), secs(2)).await.unwrap();
        stop.set();
    });
    assert_eq!(start.elapsed(), secs(2));
    assert_eq!(paused.unwrap_err().kind(), ErrorKind::Partial);
    assert!(pause(&stop, secs(3600)).await.is_err());
    assert_eq!(start.elapsed(), secs(2));
}

#[tokio::test(start_paused = true)]
async fn at_most_gives_up_a_slow_read() {
    let slow = async {
        pause(&Stop::default(), secs(5)).await.unwrap();
        7
    };
    assert_eq!(at_most(secs(4), slow).await, None);
    assert_eq!(at_most(secs(4), async { 7 }).await, Some(7));
}

#[tokio::test(start_paused = true)]
async fn uninterrupted_work_runs_to_its_end() {
    let stop = Stop::default();
    assert_eq!(stop.on_interrupt(async { 7 }, |_| ()).await, 7);
    assert!(!stop.is_set());
}
