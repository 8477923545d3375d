//! Removing, children first.

use super::*;

/// A shape's removal: each goes after everything that needs it.
async fn destroy(go: &Engine<'_>, shape: Shape, fakes: &[Fake<'_>]) {
    let mut gone: BTreeMap<&str, Shared<LocalBoxFuture<'_, bool>>> = BTreeMap::new();
    for (fake, (name, _)) in fakes.iter().zip(shape).rev() {
        let children = shape.iter().filter(|(_, parents)| parents.contains(name));
        let before = join_all(children.map(|(child, _)| gone[child].clone()));
        let before = before.map(|gone| gone.into_iter().all(|gone| gone));
        gone.insert(name, go.remove(fake, before).boxed_local().shared());
    }
    join_all(gone.into_values()).await;
}

fn standing(shape: Shape) -> Cloud {
    let things: Vec<(&'static str, u32)> = shape.iter().map(|(name, _)| (*name, 1)).collect();
    Cloud::holding(&things)
}

/// What must become of a node, worked out without the engine.
fn expected(shape: Shape, name: &str, failing: Option<(&str, Verb)>, interrupt: Option<u64>) -> &'static str {
    let verb = failing.filter(|(failing, _)| *failing == name).map(|(_, verb)| verb);
    if verb == Some(Verb::Observe) {
        return "lab:Make failed: Broken: it broke";
    }
    let mut children = shape.iter().filter(|(_, parents)| parents.contains(&name));
    if children.any(|(child, _)| expected(shape, child, failing, interrupt) != "deleted") {
        return "skipped";
    }
    if interrupt.is_some_and(|at| at < 1_000 + 10_000 * height(shape, name)) {
        return "skipped";
    }
    if verb == Some(Verb::Delete) { "lab:Make failed: Broken: it broke" } else { "deleted" }
}

fn height(shape: Shape, name: &str) -> u64 {
    let children = shape.iter().filter(|(_, parents)| parents.contains(&name));
    children.map(|(child, _)| 1 + height(shape, child)).max().unwrap_or_default()
}

#[tokio::test(start_paused = true)]
async fn a_failure_keeps_what_goes_after_it_and_ctrl_c_what_has_not_begun() {
    for shape in SHAPES {
        let nodes = shape.iter().map(|(name, _)| *name);
        let failures = nodes.flat_map(|name| [Some((name, Verb::Observe)), Some((name, Verb::Delete))]);
        for failing in std::iter::once(None).chain(failures) {
            for interrupt in [None, Some(500), Some(5_000), Some(15_000)] {
                let (cloud, world) = (standing(shape), World::new());
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
                tokio::join!(destroy(&go, shape, &fakes), ctrl_c);
                let records = go.finish();
                let case = format!("{shape:?}, failing {failing:?}, Ctrl-C at {interrupt:?} ms");
                let wanted = shape.iter().map(|(name, _)| {
                    ((*name).to_owned(), expected(shape, name, failing, interrupt).to_owned())
                });
                assert_eq!(outcomes(&records), wanted.collect(), "{case}");
                for (name, outcome) in outcomes(&records) {
                    assert_eq!(cloud.value(&name).is_none(), outcome == "deleted", "{name}: {case}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_stays_and_keeps_nobody_waiting() {
    let shape = SHAPES[1];
    for owner in [Owner::Unclaimed, Owner::Foreign("belongs to stack x".to_owned())] {
        let (cloud, world) = (standing(shape), World::new());
        cloud.put("b", 1, owner.clone());
        // Adopting is for making; nothing is adopted in order to delete it.
        let go = world.engine(Mode::Apply).adopting(true);
        destroy(&go, shape, &fakes(&cloud, shape)).await;
        let kept = format!("kept, not of this stack: it {}", owner.objection().unwrap());
        let records = go.finish();
        let expected = [("a".to_owned(), "deleted".to_owned()), ("b".to_owned(), kept)];
        assert_eq!(outcomes(&records), expected.into());
        assert_eq!(cloud.value("b"), Some(1));
        assert_eq!(cloud.count("delete b"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_deletes_nothing_and_tells_what_would_keep_it() {
    let cloud = Cloud::holding(&[("a", 13)]);
    let world = World::new();
    let record = world.remove(Mode::Plan, &Fake::new(&cloud, "a")).await;
    assert_eq!(record.changes, [Change::Delete]);
    assert_eq!(record.found.unwrap().blockers, ["brings bad luck"]);
    assert_eq!(record.result.unwrap(), Outcome::Unchanged);
    assert_eq!(cloud.log(), ["0 observe a"]);
    assert!(world.recorder.events().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_absent_is_gone() {
    let (cloud, world) = (Cloud::holding(&[("a", 1)]), World::new());
    let go = world.engine(Mode::Apply);
    let shape = SHAPES[1];
    destroy(&go, shape, &fakes(&cloud, shape)).await;
    assert_eq!(
        outcomes(&go.finish()),
        [("a", "deleted"), ("b", "absent")].map(|(n, o)| (n.to_owned(), o.to_owned())).into()
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_told_with_the_reason() {
    let (cloud, world) = (Cloud::holding(&[("a", 1)]), World::new());
    let go = world.engine(Mode::Apply);
    assert!(go.keep(&Fake::new(&cloud, "a"), "as asked").await);
    assert!(go.keep(&Fake::new(&cloud, "b"), "as asked").await);
    let expected = [("a", "kept, as asked"), ("b", "absent")].map(|(n, o)| (n.to_owned(), o.to_owned()));
    assert_eq!(outcomes(&go.finish()), expected.into());
    assert_eq!(cloud.value("a"), Some(1));
}
