//! Walks that look and change: what a failure stops, what Ctrl-C stops, and who may be changed at all.

use super::*;

/// When Ctrl-C comes, in milliseconds: while all look, while each depth of a shape is being changed, or never.
const INTERRUPTS: [Option<u64>; 5] = [None, Some(500), Some(5_000), Some(15_000), Some(25_000)];

/// What must become of a node, worked out without the engine.
fn expected(shape: Shape, name: &str, failing: Option<(&str, Verb)>, interrupt: Option<u64>) -> &'static str {
    let verb = failing.filter(|(failing, _)| *failing == name).map(|(_, verb)| verb);
    if verb == Some(Verb::Observe) {
        return "lab:Make failed: Broken: it broke";
    }
    let parents = parents(shape, name);
    if parents.iter().any(|parent| expected(shape, parent, failing, interrupt) != "created") {
        return "skipped";
    }
    if interrupt.is_some_and(|at| at < 1_000 + 10_000 * depth(shape, name)) {
        return "skipped";
    }
    if verb == Some(Verb::Apply) { "lab:Make failed: Broken: it broke" } else { "created" }
}

fn depth(shape: Shape, name: &str) -> u64 {
    parents(shape, name).iter().map(|parent| 1 + depth(shape, parent)).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_failure_stops_what_needs_it_and_ctrl_c_what_has_not_begun() {
    let mut cases = 0;
    for shape in SHAPES {
        let nodes = shape.iter().map(|(name, _)| *name);
        let failures = nodes.flat_map(|name| [Some((name, Verb::Observe)), Some((name, Verb::Apply))]);
        for failing in std::iter::once(None).chain(failures) {
            for interrupt in INTERRUPTS {
                cases += 1;
                let (cloud, world) = (Cloud::new(), World::new());
                let mut fakes = fakes(&cloud, shape);
                for fake in &mut fakes {
                    fake.fails = failing.filter(|(name, _)| *name == fake.name).map(|(_, verb)| verb);
                }
                let go = world.engine(Mode::Apply);
                let ctrl_c = async {
                    if let Some(at) = interrupt {
                        pause(&Stop::default(), Duration::from_millis(at)).await.unwrap();
                        world.stop.set();
                    }
                };
                tokio::join!(walk(&go, shape, &fakes), ctrl_c);
                let records = go.finish();
                let case = format!("{shape:?}, failing {failing:?}, Ctrl-C at {interrupt:?} ms");
                let wanted = shape.iter().map(|(name, _)| {
                    ((*name).to_owned(), expected(shape, name, failing, interrupt).to_owned())
                });
                assert_eq!(outcomes(&records), wanted.collect(), "{case}");
                check_what_was_done(&cloud, shape, interrupt, &records, &case);
            }
        }
    }
    assert_eq!(cases, 5 * (7 + 5 + 7 + 11));
}

/// Nothing begins after Ctrl-C, what has begun ends, and each thing is made at most once.
fn check_what_was_done(cloud: &Cloud, shape: Shape, interrupt: Option<u64>, records: &[Record], case: &str) {
    for (at, what) in cloud.log.borrow().iter() {
        let late = interrupt.is_some_and(|interrupt| at * 1000 > interrupt);
        assert!(!late || !what.starts_with("apply "), "{what} at {at} s: {case}");
    }
    for (name, _) in shape {
        let record = records.iter().find(|record| record.id.name == *name).unwrap();
        let created = matches!(record.result, Ok(Outcome::Created));
        assert_eq!(cloud.count(&format!("applied {name}")), usize::from(created), "{name}: {case}");
        assert_eq!(cloud.value(name).is_some(), created, "{name}: {case}");
    }
}

#[tokio::test(start_paused = true)]
async fn children_look_while_their_parents_are_made() {
    let (cloud, world) = (Cloud::new(), World::new());
    let shape = SHAPES[2];
    let go = world.engine(Mode::Apply);
    walk(&go, shape, &fakes(&cloud, shape)).await;
    let expected = [
        "0 observe a",
        "0 observe b",
        "0 observe c",
        "1 apply a",
        "11 applied a",
        "11 apply b",
        "21 applied b",
        "21 apply c",
        "31 applied c",
    ];
    assert_eq!(cloud.log(), expected);
}

#[tokio::test(start_paused = true)]
async fn siblings_are_made_at_once_and_a_shared_parent_once() {
    let (cloud, world) = (Cloud::new(), World::new());
    let shape = SHAPES[3];
    let go = world.engine(Mode::Apply);
    walk(&go, shape, &fakes(&cloud, shape)).await;
    assert_eq!(cloud.begun.elapsed(), LOOKING + 3 * CHANGING);
    assert_eq!(cloud.count("observe a"), 1);
    let order: Vec<String> = go.finish().into_iter().map(|record| record.id.name).collect();
    assert_eq!(order, ["a", "e", "b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_as_declared_is_left_alone_and_known_to_its_children() {
    let (cloud, world) = (Cloud::holding(&[("a", 1), ("b", 7)]), World::new());
    let shape = SHAPES[1];
    let go = world.engine(Mode::Apply);
    walk(&go, shape, &fakes(&cloud, shape)).await;
    let records = go.finish();
    assert_eq!(outcomes(&records), [("a", "unchanged"), ("b", "updated")].map(owned).into());
    assert_eq!(records[0].found.as_ref().unwrap().state, "holds 1");
    assert_eq!(cloud.count("apply a"), 0);
}

fn owned((name, outcome): (&str, &str)) -> (String, String) {
    (name.to_owned(), outcome.to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_plan_never_applies_and_tells_every_change() {
    let (cloud, world) = (Cloud::holding(&[("a", 1), ("b", 7)]), World::new());
    let shape = SHAPES[2];
    let go = world.engine(Mode::Plan);
    walk(&go, shape, &fakes(&cloud, shape)).await;
    let records = go.finish();
    let found: Vec<(&str, usize)> = records.iter().map(|r| (r.id.name.as_str(), r.changes.len())).collect();
    assert_eq!(found, [("a", 0), ("b", 1), ("c", 1)]);
    assert_eq!(cloud.log(), ["0 observe a", "0 observe b", "0 observe c"]);
    assert_eq!(cloud.value("b"), Some(7));
    for (event, record) in world.recorder.events().iter().zip(&records) {
        let planned = Event::Planned { id: record.id.clone(), changes: record.changes.clone() };
        assert_eq!(*event, planned);
    }
    assert_eq!(world.recorder.events().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_plan_leaves_what_it_could_not_look_at_to_the_command() {
    let cloud = Cloud::new();
    let world = World::new();
    let fake = Fake { fails: Some(Verb::Observe), ..Fake::new(&cloud, "a") };
    let (_, record) = world.step(Mode::Plan, &fake, Vec::new()).await;
    assert!(record.result.unwrap_err().has_code("Broken"));
    assert_eq!(world.recorder.events(), []);
}

#[tokio::test(start_paused = true)]
async fn a_step_is_told_from_its_start_to_its_end() {
    let cloud = Cloud::new();
    let world = World::new();
    let fake = Fake::new(&cloud, "a");
    let (output, _) = world.step(Mode::Apply, &fake, Vec::new()).await;
    assert_eq!(output, Some("a"));
    let id = fake.id();
    let expected = [
        Event::Started { id: id.clone() },
        Event::Applying { id: id.clone(), changes: vec![Change::Create] },
        Event::Finished { id, outcome: Outcome::Created, elapsed: LOOKING + CHANGING },
    ];
    assert_eq!(world.recorder.events(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_turned_foreign_after_the_plan_is_refused_and_left_alone() {
    for owner in [Owner::Foreign("belongs to stack x".to_owned()), Owner::Unclaimed] {
        let cloud = Cloud::new();
        cloud.put("a", 7, owner.clone());
        let (output, record) = step(Mode::Apply, &Fake::new(&cloud, "a")).await;
        assert_eq!(output, None);
        let why = owner.objection().unwrap().to_owned();
        assert_eq!(record.result.unwrap_err().to_string(), format!("role a is not of this stack: it {why}"));
        assert_eq!(cloud.log(), ["0 observe a"]);
    }
}

#[tokio::test(start_paused = true)]
async fn adopting_takes_over_what_nobody_claims_and_nothing_else() {
    let owners = [(Owner::Unclaimed, 1), (Owner::Foreign("belongs to stack x".to_owned()), 7)];
    for (owner, value) in owners {
        let (cloud, world) = (Cloud::new(), World::new());
        cloud.put("a", 7, owner);
        let fake = Fake::new(&cloud, "a");
        let go = world.engine(Mode::Apply).adopting(true);
        go.step(&fake, async { Some(Vec::new()) }).await;
        assert_eq!(cloud.value("a"), Some(value));
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_would_lose_something_is_not_made() {
    let cloud = Cloud::holding(&[("a", 7)]);
    let (output, record) = step(Mode::Apply, &Fake { differs: rigid, ..Fake::new(&cloud, "a") }).await;
    assert_eq!(output, None);
    let error = record.result.unwrap_err();
    assert_eq!(error.to_string(), "cannot change value: 7 → 1 (it is rigid)");
    assert_eq!(cloud.log(), ["0 observe a"]);
}

#[tokio::test(start_paused = true)]
async fn both_are_known_once_each_is() {
    let some = |name: &'static str| async move { Some(name) };
    let none = || async { None::<&'static str> };
    assert_eq!(both(some("a"), some("b")).await, Some(("a", "b")));
    assert_eq!(both(some("a"), none()).await, None);
    assert_eq!(both(none(), some("b")).await, None);
    assert_eq!(nothing().await, Some(()));
}
