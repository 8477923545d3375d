//! What ends a wait from outside.

use super::*;
use crate::error::ErrorKind;
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn ctrl_c_wakes_a_pause() {
    let stop = Stop::default();
    let begun = Instant::now();
    let (paused, ()) = tokio::join!(pause(&stop, secs(3600)), async {
        pause(&Stop::default(), secs(2)).await.unwrap();
        stop.set();
    });
    assert_eq!(begun.elapsed(), secs(2));
    assert_eq!(paused.unwrap_err().kind(), ErrorKind::Partial);
    assert!(pause(&stop, secs(3600)).await.is_err());
    assert_eq!(begun.elapsed(), secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_read_that_takes_too_long_is_given_up() {
    let slow = async {
        pause(&Stop::default(), secs(5)).await.unwrap();
        7
    };
    assert_eq!(at_most(secs(4), slow).await, None);
    assert_eq!(at_most(secs(4), async { 7 }).await, Some(7));
}

#[tokio::test(start_paused = true)]
async fn work_that_nobody_interrupts_runs_to_its_end() {
    let stop = Stop::default();
    assert_eq!(stop.on_interrupt(async { 7 }, |_| ()).await, 7);
    assert!(!stop.is_set());
}
