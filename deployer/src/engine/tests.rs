//! The engine on fakes and a paused clock. Looking takes a second, changing ten.

use super::*;
use crate::engine::{Impact, Kind, Shown};
use crate::testing::{World, refusal};
use crate::time::pause;
use futures_util::FutureExt as _;
use futures_util::future::{LocalBoxFuture, Shared, join_all};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

mod answers;
mod approval;
mod limits;
mod removing;
mod sharing;
mod walking;

const LOOKING: Duration = Duration::from_secs(1);
const CHANGING: Duration = Duration::from_secs(10);

/// What stands, and everything that was done, with the second at which it was.
struct Cloud {
    things: RefCell<BTreeMap<&'static str, Thing>>,
    log: RefCell<Vec<(u64, String)>>,
    begun: Instant,
}

#[derive(Clone, Debug, PartialEq)]
struct Thing {
    value: u32,
    owner: Owner,
}

impl Cloud {
    fn new() -> Self {
        Self { things: RefCell::default(), log: RefCell::default(), begun: Instant::now() }
    }

    fn holding(things: &[(&'static str, u32)]) -> Self {
        let cloud = Self::new();
        for (name, value) in things {
            cloud.put(name, *value, Owner::Ours);
        }
        cloud
    }

    fn put(&self, name: &'static str, value: u32, owner: Owner) {
        self.things.borrow_mut().insert(name, Thing { value, owner });
    }

    fn value(&self, name: &str) -> Option<u32> {
        self.things.borrow().get(name).map(|thing| thing.value)
    }

    fn note(&self, what: &str, name: &str) {
        self.log.borrow_mut().push((self.begun.elapsed().as_secs(), format!("{what} {name}")));
    }

    fn log(&self) -> Vec<String> {
        self.log.borrow().iter().map(|(at, what)| format!("{at} {what}")).collect()
    }

    /// How often something was done to a thing.
    fn count(&self, what: &str) -> usize {
        self.log.borrow().iter().filter(|(_, noted)| noted == what).count()
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verb {
    Observe,
    Apply,
    Delete,
}

/// What AWS answers to the n-th call that applies. `Ok` without having put the thing would be a lie.
type Answers<'c> = Box<dyn Fn(&'c Cloud, usize) -> Result<()> + 'c>;

/// A resource that wants to hold a value. Its parents' names are what it needs.
struct Fake<'c> {
    cloud: &'c Cloud,
    name: &'static str,
    value: u32,
    fails: Option<Verb>,
    answers: Option<Answers<'c>>,
    /// How long a change takes.
    takes: Duration,
    /// What holding another value is to people.
    differs: fn(Shown, Shown) -> Change,
    /// Whether a new one is more than AWS takes.
    refuses_creation: bool,
    /// How many calls that apply find their diff out of date.
    outdated: usize,
}

impl<'c> Fake<'c> {
    fn new(cloud: &'c Cloud, name: &'static str) -> Self {
        Self {
            cloud,
            name,
            value: 1,
            fails: None,
            answers: None,
            takes: CHANGING,
            differs: updated,
            refuses_creation: false,
            outdated: 0,
        }
    }

    fn answering(cloud: &'c Cloud, answers: impl Fn(&'c Cloud, usize) -> Result<()> + 'c) -> Self {
        Self { answers: Some(Box::new(answers)), ..Self::new(cloud, "a") }
    }

    async fn work(&self, verb: Verb, what: &str, length: Duration) -> Result<()> {
        self.cloud.note(what, self.name);
        pause(&Stop::default(), length).await?;
        if self.fails == Some(verb) { Err(refusal("Broken", "it broke").into()) } else { Ok(()) }
    }
}

impl Existing for Fake<'_> {
    type Observed = Thing;

    fn id(&self) -> Id {
        Id::new(Kind::Role, self.name)
    }

    async fn observe(&self, _step: &Step<'_>) -> Result<Option<Thing>> {
        self.work(Verb::Observe, "observe", LOOKING).await?;
        Ok(self.cloud.things.borrow().get(self.name).cloned())
    }

    fn owner(&self, seen: &Thing) -> Owner {
        seen.owner.clone()
    }

    fn state(&self, seen: &Thing) -> String {
        format!("holds {}", seen.value)
    }

    fn blockers(&self, seen: &Thing) -> Vec<String> {
        if seen.value == 13 { vec!["brings bad luck".to_owned()] } else { Vec::new() }
    }

    async fn delete(&self, _step: &Step<'_>, _seen: Thing) -> Result<()> {
        self.work(Verb::Delete, "delete", self.takes).await?;
        self.cloud.things.borrow_mut().remove(self.name);
        self.cloud.note("deleted", self.name);
        Ok(())
    }
}

/// A fake needs to know no more than what differs.
impl Diff for Vec<Change> {
    fn changes(&self) -> Vec<Change> {
        self.clone()
    }
}

impl Declared for Fake<'_> {
    type Existing = Self;
    type Needs = Vec<&'static str>;
    type Diff = Vec<Change>;
    type Output = &'static str;

    fn existing(&self) -> &Self {
        self
    }

    fn diff(&self, _needs: Option<&Self::Needs>, seen: Option<&Thing>) -> Vec<Change> {
        let Some(seen) = seen else {
            let refused = self.refuses_creation.then(|| rigid(Shown::Nothing, Some(self.value).into()));
            return std::iter::once(Change::Create).chain(refused).collect();
        };
        let (from, to) = (Shown::from(Some(seen.value)), Shown::from(Some(self.value)));
        if from == to { Vec::new() } else { vec![(self.differs)(from, to)] }
    }

    fn output(&self, _seen: &Thing) -> &'static str {
        self.name
    }

    async fn apply(
        &self,
        _step: &Step<'_>,
        needs: Self::Needs,
        _seen: Option<Thing>,
        diff: Vec<Change>,
    ) -> Result<Applied<&'static str, Thing>> {
        assert_ne!(diff, [], "apply without a change of {}", self.name);
        assert!(
            needs.iter().all(|parent| self.cloud.value(parent).is_some()),
            "{} came too early",
            self.name
        );
        let earlier = self.cloud.count(&format!("apply {}", self.name));
        self.work(Verb::Apply, "apply", self.takes).await?;
        if earlier < self.outdated {
            let observed = self.cloud.things.borrow().get(self.name).cloned();
            return Ok(Applied::Outdated { observed, why: "it was changing".to_owned() });
        }
        match &self.answers {
            Some(answers) => answers(self.cloud, earlier)?,
            None => self.cloud.put(self.name, self.value, Owner::Ours),
        }
        self.cloud.note("applied", self.name);
        Ok(Applied::Done(self.name))
    }
}

fn updated(from: Shown, to: Shown) -> Change {
    Change::Update { field: "value".to_owned(), from, to, impact: Impact::None }
}

fn rigid(from: Shown, to: Shown) -> Change {
    Change::Refused { field: "value".to_owned(), from, to, why: "it is rigid".to_owned() }
}

/// Who needs whom, parents first.
type Shape = &'static [(&'static str, &'static [&'static str])];

const SHAPES: [Shape; 4] = [
    &[("a", &[]), ("b", &[]), ("c", &[])],
    &[("a", &[]), ("b", &["a"])],
    &[("a", &[]), ("b", &["a"]), ("c", &["b"])],
    &[("a", &[]), ("b", &["a"]), ("c", &["a"]), ("d", &["b", "c"]), ("e", &[])],
];

fn parents(shape: Shape, name: &str) -> &'static [&'static str] {
    shape.iter().find(|(node, _)| *node == name).map_or(&[], |(_, parents)| parents)
}

fn fakes(cloud: &Cloud, shape: Shape) -> Vec<Fake<'_>> {
    shape.iter().map(|(name, _)| Fake::new(cloud, name)).collect()
}

/// The walk of a shape: every step is made once, and awaited by all that need it.
async fn walk(go: &Engine<'_>, shape: Shape, fakes: &[Fake<'_>]) {
    let mut known: BTreeMap<&str, Shared<LocalBoxFuture<'_, Option<&'static str>>>> = BTreeMap::new();
    for (fake, (name, parents)) in fakes.iter().zip(shape) {
        let needs = join_all(parents.iter().map(|parent| known[parent].clone()));
        let needs = needs.map(|outputs| outputs.into_iter().collect::<Option<Vec<_>>>());
        known.insert(name, go.step(fake, needs).boxed_local().shared());
    }
    join_all(known.into_values()).await;
}

/// Runs one step of one fake in a world of its own.
async fn step(mode: Mode, fake: &Fake<'_>) -> (Option<&'static str>, Record) {
    World::new().step(mode, fake, Vec::new()).await
}

/// Each record's outcome, by name.
fn outcomes(records: &[Record]) -> BTreeMap<String, String> {
    let outcome = |record: &Record| match &record.result {
        Ok(outcome) => outcome.to_string(),
        Err(error) => error.to_string(),
    };
    records.iter().map(|record| (record.id.name.clone(), outcome(record))).collect()
}
