//! How often it looks, how long, and what it says in the end. The clock is paused: only waits move it.

use super::*;
use crate::testing::{World, refusal};
use crate::time::Stop;
use std::cell::{Cell, RefCell};

mod reasons;

static TEST: Passing = Passing { cadence: CADENCE, applies: |e| e.code == "Test" };

const CADENCE: Cadence = Cadence { reason: "the test", first: ms(250), longest: secs(4), within: secs(60) };

/// Answers with this until the end, and notes when it was asked.
async fn refused_for_ever(error: impl Fn() -> AwsError) -> (Vec<Duration>, Error) {
    let (world, begun, asked) = (World::new(), Instant::now(), RefCell::new(Vec::new()));
    let call = async || {
        asked.borrow_mut().push(begun.elapsed());
        Err::<(), _>(Error::from(error()))
    };
    let error = world.at(async |step| step.retry(&[&TEST], call).await).await.unwrap_err();
    (asked.into_inner(), error)
}

fn pauses(asked: &[Duration]) -> Vec<Duration> {
    asked.windows(2).map(|pair| pair[1].checked_sub(pair[0]).unwrap()).collect()
}

/// Within a quarter either way; the clock counts whole milliseconds.
fn is_about(pause: Duration, wanted: Duration) -> bool {
    (wanted.mul_f64(0.75)..=wanted.mul_f64(1.25) + ms(1)).contains(&pause)
}

#[tokio::test(start_paused = true)]
async fn pauses_double_up_to_the_longest_with_some_jitter() {
    let mut first_pauses = Vec::new();
    for _ in 0..20 {
        let (asked, _) = refused_for_ever(|| refusal("Test", "wait")).await;
        assert_eq!(asked[0], Duration::ZERO);
        let wanted = [250, 500, 1000, 2000, 4000].map(ms).into_iter().chain(std::iter::repeat(secs(4)));
        for (pause, wanted) in pauses(&asked).into_iter().zip(wanted) {
            assert!(is_about(pause, wanted), "{pause:?} is not about {wanted:?}");
        }
        // All but the last pause, which would have ended too late.
        let end = *asked.last().unwrap();
        assert!((secs(55)..=secs(60)).contains(&end), "{end:?}");
        first_pauses.push(asked[1]);
    }
    first_pauses.sort();
    first_pauses.dedup();
    assert!(first_pauses.len() > 5, "runs that were refused together come back together: {first_pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn giving_up_names_the_wait_and_keeps_awss_last_answer() {
    let answers = Cell::new(0);
    let (asked, error) = refused_for_ever(|| {
        answers.set(answers.get() + 1);
        refusal("Test", &format!("answer {}", answers.get()))
    })
    .await;
    let aws = error.aws().unwrap();
    assert_eq!(aws.message, format!("answer {}", asked.len()));
    let waited = asked.last().unwrap().as_secs();
    assert_eq!(
        error.to_string(),
        format!("gave up after {waited} s of waiting for the test: lab:Make failed: Test: {}", aws.message)
    );
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_at_least_as_long_as_aws_asks() {
    let asked_for = secs(7);
    let (asked, _) =
        refused_for_ever(|| AwsError { retry_after: Some(asked_for), ..refusal("Test", "wait") }).await;
    assert_eq!(asked.len(), 9);
    assert!(pauses(&asked).iter().all(|pause| *pause == asked_for), "{asked:?}");
}

#[tokio::test(start_paused = true)]
async fn throttling_passes_whatever_else_does() {
    let (asked, error) = refused_for_ever(|| refusal("TooManyRequestsException", "Too Many Requests")).await;
    assert!(pauses(&asked).iter().all(|pause| *pause >= ms(750) && *pause <= secs(31).mul_f64(1.25) + ms(1)));
    assert!(*asked.last().unwrap() > secs(9 * 60), "{asked:?}");
    assert!(error.to_string().contains("waiting for AWS's call rate limit: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_new_reason_starts_its_own_clock() {
    let (world, begun, asked) = (World::new(), Instant::now(), RefCell::new(Vec::new()));
    let call = async || {
        asked.borrow_mut().push(begun.elapsed());
        let waited = begun.elapsed();
        let code = if waited < secs(50) { "Test" } else { "Throttling" };
        if waited > secs(100) { Ok(()) } else { Err(Error::from(refusal(code, "wait"))) }
    };
    world.at(async |step| step.retry(&[&TEST], call).await).await.unwrap();
    let changed = asked.borrow().iter().position(|at| *at >= secs(50)).unwrap();
    let asked = asked.into_inner();
    assert!(
        is_about(asked[changed + 1].checked_sub(asked[changed]).unwrap(), THROTTLED.cadence.first),
        "{asked:?}"
    );
    let waits = world.recorder.waits();
    assert_eq!(waits[..changed], vec!["the test"; changed]);
    assert!(waits[changed..].iter().all(|reason| *reason == THROTTLED.cadence.reason));
}

#[tokio::test(start_paused = true)]
async fn people_are_told_what_is_waited_for_and_since_when() {
    let world = World::new();
    let begun = Instant::now();
    let call = async || {
        if begun.elapsed() > secs(5) { Ok(()) } else { Err(refusal("Test", "wait").into()) }
    };
    world.at(async |step| step.retry(&[&TEST], call).await).await.unwrap();
    let mut last = None;
    for event in world.recorder.events() {
        let crate::engine::Event::Waiting { reason, waited, .. } = event else { panic!("{event:?}") };
        assert_eq!(reason, "the test");
        assert!(last.is_none_or(|last| last < waited) && waited <= secs(5), "{waited:?} after {last:?}");
        last = Some(waited);
    }
    assert!(last.is_some());
}

#[tokio::test(start_paused = true)]
async fn looking_begins_at_once_and_ends_with_what_is_seen() {
    let world = World::new();
    let begun = Instant::now();
    let found =
        world.at(async |step| step.until(&CADENCE, async || Ok(Some(begun.elapsed()))).await).await.unwrap();
    assert_eq!(found, Duration::ZERO);
    let look = async || Ok((begun.elapsed() > secs(3)).then(|| begun.elapsed()));
    let found = world.at(async |step| step.until(&CADENCE, look).await).await.unwrap();
    // It is seen by the end of the pause in which it came.
    assert!(found < secs(3) + CADENCE.longest.mul_f64(1.25) + ms(1), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn looking_in_vain_names_the_wait_and_the_next_command() {
    let world = World::new();
    let look = async || Ok(None::<()>);
    let error = world.at(async |step| step.until(&CADENCE, look).await).await.unwrap_err();
    let told = error.to_string();
    assert!(told.starts_with("gave up after ") && told.ends_with(" s of waiting for the test"), "{told}");
    assert_eq!(crate::testing::hints(&error), ["Run `deployer up` again: it goes on from here."]);

    let look = async || Err::<Option<()>, _>(Error::new("cannot look"));
    let error = world.at(async |step| step.until(&CADENCE, look).await).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot look");
}

#[tokio::test(start_paused = true)]
async fn a_long_wait_is_looked_into_now_and_then() {
    let (world, begun, looks) = (World::new(), Instant::now(), RefCell::new(Vec::new()));
    let look = async || {
        looks.borrow_mut().push(begun.elapsed());
        if looks.borrow().len() < 3 { Ok(()) } else { Err(Error::new("it is gone")) }
    };
    let call = async || Err::<(), _>(Error::from(refusal("Test", "wait")));
    let error = world.at(async |step| step.retry_checking(&[&TEST], look, call).await).await.unwrap_err();
    assert_eq!(error.to_string(), "it is gone");
    let looks = looks.into_inner();
    for (look, after) in looks.iter().zip([10, 20, 40].map(secs)) {
        assert!((after..after + CADENCE.longest * 3).contains(look), "{looks:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_ends_every_wait() {
    let world = World::new();
    let calls = Cell::new(0);
    let call = async || {
        calls.set(calls.get() + 1);
        Err::<(), _>(Error::from(refusal("Test", "wait")))
    };
    let retry = world.at(async |step| step.retry(&[&TEST], call).await);
    let until = world.at(async |step| step.until(&CADENCE, async || Ok(None::<()>)).await);
    let (retried, looked, ()) = tokio::join!(retry, until, async {
        pause(&Stop::default(), ms(100)).await.unwrap();
        world.stop.set();
    });
    assert_eq!(retried.unwrap_err().to_string(), "interrupted");
    assert_eq!(looked.unwrap_err().to_string(), "interrupted");
    assert_eq!(calls.get(), 1);
}
