//! Between the plan's question and the last call, nothing is lost or opened that the plan did not show.

use super::*;
use crate::testing::hints;

fn loses(from: Shown, to: Shown) -> Change {
    let impact = Impact::Loses { what: format!("value {from}"), means: "it is gone" };
    Change::Update { field: "value".to_owned(), from, to, impact }
}

fn opens(from: Shown, to: Shown) -> Change {
    let impact = Impact::LetsIn { what: format!("door {from}"), means: "anybody may enter" };
    Change::Update { field: "value".to_owned(), from, to, impact }
}

fn replaced(from: Shown, to: Shown) -> Change {
    Change::Replace { field: "value".to_owned(), from, to, why: "it is old".to_owned() }
}

/// A plan, then something that happens, then the walk that applies with the approval of what the plan showed.
async fn up(fake: &Fake<'_>, meanwhile: impl FnOnce(&Cloud)) -> Record {
    let world = World::new();
    let plan = world.engine(Mode::Plan);
    plan.step(fake, async { Some(Vec::new()) }).await;
    let planned = plan.finish();
    meanwhile(fake.cloud);
    let apply = world.engine(Mode::Apply).approved(Approval::of(&planned));
    apply.step(fake, async { Some(Vec::new()) }).await;
    apply.finish().remove(0)
}

fn told(record: Record) -> Result<Outcome, String> {
    record.result.map_err(|error| error.to_string())
}

fn now_also(what: &str) -> String {
    format!("it has changed since the plan: this run would now also {what}")
}

#[tokio::test(start_paused = true)]
async fn what_the_plan_did_not_show_is_neither_lost_nor_opened() {
    type Differs = fn(Shown, Shown) -> Change;
    // What the plan finds, what the walk finds that applies, and how that ends.
    let cases: [(Differs, Option<u32>, Option<u32>, Result<Outcome, &str>); 16] = [
        (updated, Some(1), Some(7), Ok(Outcome::Updated)),
        (loses, Some(7), Some(7), Ok(Outcome::Updated)),
        (loses, Some(7), Some(1), Ok(Outcome::Unchanged)),
        (loses, Some(7), None, Ok(Outcome::Created)),
        (loses, Some(1), Some(7), Err("delete or replace value 7")),
        (loses, Some(8), Some(7), Err("delete or replace value 7")),
        (loses, None, Some(7), Err("delete or replace value 7")),
        (opens, Some(7), Some(7), Ok(Outcome::Updated)),
        (opens, Some(7), None, Ok(Outcome::Created)),
        (opens, Some(1), Some(7), Err("let people in who are kept out now: door 7")),
        (opens, Some(8), Some(7), Err("let people in who are kept out now: door 7")),
        (opens, None, Some(7), Err("let people in who are kept out now: door 7")),
        (replaced, Some(7), Some(7), Ok(Outcome::Updated)),
        // It is the same thing that goes.
        (replaced, Some(8), Some(7), Ok(Outcome::Updated)),
        (replaced, Some(1), Some(7), Err("delete or replace role a")),
        (replaced, None, Some(7), Err("delete or replace role a")),
    ];
    for (differs, planned, found, expected) in cases {
        let cloud = Cloud::new();
        let set = |value: Option<u32>| match value {
            Some(value) => cloud.put("a", value, Owner::Ours),
            None => drop(cloud.things.borrow_mut().remove("a")),
        };
        set(planned);
        let fake = Fake { differs, ..Fake::new(&cloud, "a") };
        let record = up(&fake, |_| set(found)).await;
        let case = format!("{planned:?}, then {found:?}");
        let stopped = expected.is_err();
        assert_eq!(told(record), expected.map_err(now_also), "{case}");
        assert_eq!(cloud.value("a"), if stopped { found } else { Some(1) }, "{case}");
        assert_eq!(cloud.count("apply a"), usize::from(!stopped && found != Some(1)), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn several_losses_and_openings_are_all_named() {
    let id = Id::new(Kind::Role, "a");
    let changes = [loses, opens, replaced, updated].map(|change| change("7".into(), "1".into()));
    let error = Approval::default().check(&id, &changes).unwrap_err();
    let both = "delete or replace value 7, role a, and let people in who are kept out now: door 7";
    assert_eq!(error.to_string(), now_also(both));
    assert_eq!(hints(&error), ["`deployer up` shows that in its plan, and asks first."]);
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_of_one_resource_is_not_approved_for_another() {
    let (cloud, world) = (Cloud::holding(&[("a", 7), ("b", 7)]), World::new());
    let [a, b] = ["a", "b"].map(|name| Fake { differs: loses, ..Fake::new(&cloud, name) });
    let plan = world.engine(Mode::Plan);
    plan.step(&a, async { Some(Vec::new()) }).await;
    let apply = world.engine(Mode::Apply).approved(Approval::of(&plan.finish()));
    apply.step(&a, async { Some(Vec::new()) }).await;
    apply.step(&b, async { Some(Vec::new()) }).await;
    assert_eq!((cloud.value("a"), cloud.value("b")), (Some(1), Some(7)));
}

#[tokio::test(start_paused = true)]
async fn a_fresh_look_after_an_unclear_answer_approves_nothing() {
    for (found, expected) in [(7, Some("delete or replace value 7")), (1, None)] {
        let cloud = Cloud::new();
        let answers = move |cloud: &Cloud, _| {
            cloud.put("a", found, Owner::Ours);
            Err(refusal("EntityAlreadyExists", "a exists already").into())
        };
        let record = up(&Fake { differs: loses, ..Fake::answering(&cloud, answers) }, |_| ()).await;
        match expected {
            None => assert_eq!(record.result.unwrap(), Outcome::Created),
            Some(what) => {
                let error = record.result.unwrap_err();
                assert!(
                    error.to_string().starts_with(&format!("{}: lab:Make failed", now_also(what))),
                    "{error}"
                );
                assert!(error.has_code("EntityAlreadyExists"));
                assert_eq!(error.hints().len(), 1, "{:?}", error.hints());
            }
        }
        assert_eq!((cloud.count("apply a"), cloud.value("a")), (1, Some(found)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_fresh_look_after_an_outdated_diff_approves_nothing() {
    let cloud = Cloud::holding(&[("a", 7)]);
    let fake = Fake { differs: loses, outdated: 1, ..Fake::new(&cloud, "a") };
    assert_eq!(told(up(&fake, |_| ()).await), Ok(Outcome::Updated), "the same loss as before");

    let cloud = Cloud::holding(&[("a", 7)]);
    let fake = Fake { differs: loses, outdated: 1, takes: CHANGING, ..Fake::new(&cloud, "a") };
    let changes_meanwhile = async {
        // While the apply waits: the plan and the second look take a second each.
        pause(&Stop::default(), Duration::from_secs(5)).await.unwrap();
        cloud.put("a", 8, Owner::Ours);
    };
    let (record, ()) = tokio::join!(up(&fake, |_| ()), changes_meanwhile);
    let expected = format!("{}: it was changing", now_also("delete or replace value 8"));
    assert_eq!(told(record), Err(expected));
    assert_eq!((cloud.count("apply a"), cloud.value("a")), (1, Some(8)));
}

#[tokio::test(start_paused = true)]
async fn what_is_always_out_of_date_is_given_up() {
    for (outdated, expected) in [(4, Ok(Outcome::Updated)), (5, Err("it was changing".to_owned()))] {
        let cloud = Cloud::holding(&[("a", 7)]);
        let (_, record) = step(Mode::Apply, &Fake { outdated, ..Fake::new(&cloud, "a") }).await;
        assert_eq!(told(record), expected);
        assert_eq!(cloud.count("apply a"), 5);
    }
}

/// A creation may be refused, too, and so may that of what was deleted after the plan.
#[tokio::test(start_paused = true)]
async fn what_is_refused_after_a_fresh_look_is_not_made() {
    let cloud = Cloud::holding(&[("a", 7)]);
    let fake = Fake {
        refuses_creation: true,
        ..Fake::answering(&cloud, |cloud, _| {
            cloud.things.borrow_mut().clear();
            Err(refusal("EntityAlreadyExists", "a exists already").into())
        })
    };
    let (_, record) = step(Mode::Apply, &fake).await;
    let error = record.result.unwrap_err().to_string();
    assert!(error.starts_with("cannot change value: (none) → 1 (it is rigid): lab:Make failed"), "{error}");
    assert_eq!(cloud.count("apply a"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_deletion_that_the_plan_did_not_show_is_not_made() {
    for (planned, expected) in
        [(Some(7), Ok(Outcome::Deleted)), (None, Err(now_also("delete or replace role a")))]
    {
        let (cloud, world) = (Cloud::new(), World::new());
        if let Some(value) = planned {
            cloud.put("a", value, Owner::Ours);
        }
        let fake = Fake::new(&cloud, "a");
        let plan = world.engine(Mode::Plan);
        plan.remove(&fake, async { true }).await;
        let planned = plan.finish();
        cloud.put("a", 7, Owner::Ours);
        let apply = world.engine(Mode::Apply).approved(Approval::of(&planned));
        apply.remove(&fake, async { true }).await;
        let stands = expected.is_err();
        assert_eq!(told(apply.finish().remove(0)), expected);
        assert_eq!(cloud.value("a").is_some(), stands);
    }
}

/// `down` asks about everything that it finds, and deletes also what comes back meanwhile.
#[tokio::test(start_paused = true)]
async fn without_an_approval_everything_is_made() {
    for differs in [loses, opens, replaced] {
        let cloud = Cloud::holding(&[("a", 7)]);
        let (_, record) = step(Mode::Apply, &Fake { differs, ..Fake::new(&cloud, "a") }).await;
        assert_eq!(told(record), Ok(Outcome::Updated));
        let record = World::new().remove(Mode::Apply, &Fake::new(&cloud, "a")).await;
        assert_eq!(told(record), Ok(Outcome::Deleted));
    }
}
