//! What a plan has seen serves the walk after it, once and for a moment.

use super::*;

/// A plan of one thing, then a pause, then the walk that makes it so.
async fn planned_and_done(cloud: &Cloud, pause_between: u64, remove: bool) -> Record {
    let (world, seen, fake) = (World::new(), Seen::default(), Fake::new(cloud, "a"));
    let mut last = None;
    for mode in [Mode::Plan, Mode::Apply] {
        let go = world.engine(mode).sharing(&seen);
        if remove {
            go.remove(&fake, async { true }).await;
        } else {
            go.step(&fake, async { Some(Vec::new()) }).await;
        }
        last = go.finish().pop();
        pause(&Stop::default(), Duration::from_secs(pause_between)).await.unwrap();
    }
    last.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_a_moment_ago_is_not_asked_for_again() {
    let things: [&[(&str, u32)]; 2] = [&[], &[("a", 7)]];
    for standing in things {
        for (pause_between, looks) in [(0, 1), (2, 1), (3, 2), (60, 2)] {
            let cloud = Cloud::holding(standing);
            planned_and_done(&cloud, pause_between, false).await;
            assert_eq!(cloud.count("observe a"), looks, "{standing:?} after {pause_between} s");
            assert_eq!(cloud.value("a"), Some(1));

            let cloud = Cloud::holding(standing);
            planned_and_done(&cloud, pause_between, true).await;
            assert_eq!(cloud.count("observe a"), looks, "{standing:?} after {pause_between} s");
            assert_eq!(cloud.value("a"), None);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_serves_once() {
    let (cloud, world, seen) = (Cloud::holding(&[("a", 1)]), World::new(), Seen::default());
    let fake = Fake::new(&cloud, "a");
    for (mode, looks) in [(Mode::Plan, 1), (Mode::Plan, 2), (Mode::Apply, 2), (Mode::Apply, 3)] {
        let go = world.engine(mode).sharing(&seen);
        go.step(&fake, async { Some(Vec::new()) }).await;
        assert_eq!(cloud.count("observe a"), looks, "{mode:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unclear_answer_is_never_settled_by_what_the_plan_saw() {
    let (cloud, world, seen) = (Cloud::new(), World::new(), Seen::default());
    let fake = Fake::answering(&cloud, |cloud, _| {
        cloud.put("a", 7, Owner::Foreign("belongs to stack x".to_owned()));
        Err(refusal("EntityAlreadyExists", "a exists already").into())
    });
    for mode in [Mode::Plan, Mode::Apply] {
        let go = world.engine(mode).sharing(&seen);
        let output = go.step(&fake, async { Some(Vec::new()) }).await;
        assert_eq!(output, None);
    }
    assert_eq!(cloud.count("observe a"), 2);
    assert_eq!(cloud.value("a"), Some(7));
}
