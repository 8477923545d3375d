//! Whether an `apply` makes the calls of its changes and no others, by a table of what each change calls.

use super::World;
use crate::engine::{Applied, Change, Declared, Diff as _, ObservedOf, Shown};
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::subsequence;
use proptest::test_runner::TestCaseError;
use std::collections::BTreeMap;
use std::fmt;

/// The operations that each change calls: one row for each property.
///
/// A row begins with the property, or with `create` or `replace`. `PROPERTY removed` is for a property that has no declared
/// value. The operations follow:
/// - `A` is called, once for all changes together.
/// - `A!` is called for each change by itself.
/// - `A|B`: one of them is called, or each once.
/// - `[A]` may be called once.
pub(crate) type Effects = &'static [(&'static str, &'static str)];

/// Ways in which a value may differ, each with its name.
pub(crate) type Edits<T> = &'static [(&'static str, fn(&mut T))];

/// A value and the names of the edits that made it, which are what a failure shows.
#[derive(Clone)]
pub(crate) struct Edited<T> {
    names: Vec<&'static str>,
    pub(crate) value: T,
}

impl<T> fmt::Debug for Edited<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.names.is_empty() { "unchanged" } else { "" })?;
        f.write_str(&self.names.join(", "))
    }
}

/// Generates the value with some of these edits: often with none, one or two, and otherwise with any number.
pub(crate) fn edited<T: Clone + 'static>(
    original: fn() -> T,
    edits: Edits<T>,
) -> impl Strategy<Value = Edited<T>> {
    let few = subsequence(edits.to_vec(), 0..=edits.len().min(2));
    let any_number = subsequence(edits.to_vec(), 0..=edits.len());
    prop_oneof![few, any_number].prop_map(move |chosen| {
        let mut value = original();
        for (_, edit) in &chosen {
            edit(&mut value);
        }
        Edited { names: chosen.into_iter().map(|(name, _)| name).collect(), value }
    })
}

/// Applies the difference as the engine would, and compares the calls with the changes. `detailed` returns the changes of a
/// diff, for creations with those that people do not read.
///
/// # Errors
/// A call without a change, a change without its calls, and an `apply` that fails.
pub(crate) async fn check_apply<D: Declared>(
    effects: Effects,
    world: &World,
    declared: &D,
    needs: D::Needs,
    observed: Option<ObservedOf<D>>,
    detailed: impl Fn(&D::Diff) -> Vec<Change>,
) -> Result<(), TestCaseError> {
    let diff = declared.diff(Some(&needs), observed.as_ref());
    let (changes, detailed) = (diff.changes(), detailed(&diff));
    if changes.iter().any(|change| matches!(change, Change::Refused { .. })) {
        // The engine stops here.
        return Ok(());
    }
    let applied = world.apply(declared, needs, observed).await;
    let mutations = world.mutations();
    let problem = match applied {
        Err(error) => Some(error.to_string()),
        Ok(_) if changes.is_empty() && !mutations.is_empty() => Some("calls without any change".to_owned()),
        Ok(Applied::Done(_)) => mismatch(effects, &detailed, &mutations),
        // It has only waited, and is compared again.
        Ok(Applied::Outdated { .. }) if world.calls().is_empty() => Some("it waits for nothing".to_owned()),
        Ok(Applied::Outdated { .. }) if !mutations.is_empty() => Some("calls before it waits".to_owned()),
        Ok(Applied::Outdated { .. }) => None,
    };
    match problem {
        None => Ok(()),
        Some(problem) => Err(TestCaseError::fail(format!("{problem}\n{detailed:?}\n{mutations:?}"))),
    }
}

/// How often an operation is to be called.
#[derive(Default)]
struct Bounds {
    /// Calls that belong to one change.
    own: usize,
    /// Whether changes share one more call.
    shared: bool,
    /// More calls that may be made.
    optional: usize,
}

/// What does not fit together, if anything.
fn mismatch(effects: Effects, changes: &[Change], mutations: &[String]) -> Option<String> {
    let called = |operation: &str| mutations.iter().filter(|called| *called == operation).count();
    let mut bounds: BTreeMap<&str, Bounds> =
        mutations.iter().map(|name| (&**name, Bounds::default())).collect();
    for change in changes {
        let Some(operations) = operations_of(effects, change) else {
            return Some(format!("no row for {change}"));
        };
        for operation in operations.split_whitespace() {
            if let Some(name) = operation.strip_suffix('!') {
                bounds.entry(name).or_default().own += 1;
            } else if let Some(name) = operation.strip_prefix('[') {
                bounds.entry(name.trim_end_matches(']')).or_default().optional = 1;
            } else if operation.contains('|') {
                operation.split('|').for_each(|name| bounds.entry(name).or_default().optional += 1);
                if !operation.split('|').any(|name| called(name) > 0) {
                    return Some(format!("{change} does not call {operation}"));
                }
            } else {
                bounds.entry(operation).or_default().shared = true;
            }
        }
    }
    bounds.into_iter().find_map(|(name, Bounds { own, shared, optional })| {
        let least = own + usize::from(shared);
        let calls = called(name);
        let fits = (least..=least + optional).contains(&calls);
        (!fits).then(|| format!("{name} is called {calls} times, and the changes need {least}"))
    })
}

/// What the row of a change holds. Parts of a property follow a dot or a space; a route is a method and a path.
fn operations_of(effects: Effects, change: &Change) -> Option<&'static str> {
    let (property, to) = match change {
        Change::Create => ("create", None),
        Change::Delete => ("delete", None),
        Change::Replace { .. } => ("replace", None),
        Change::Update { field, to, .. } | Change::Refused { field, to, .. } => {
            let first = field.split(['.', ' ']).next().unwrap_or_default();
            (if field.contains(" /") { "route" } else { first }, Some(to))
        }
    };
    let row = |name: &str| {
        let row = effects.iter().find(|(property, _)| *property == name);
        row.map(|(_, operations)| *operations)
    };
    let removed = to.filter(|to| **to == Shown::Nothing).and_then(|_| row(&format!("{property} removed")));
    removed.or_else(|| row(property))
}

/// Runs on a paused clock, so that no wait takes any time.
pub(crate) fn paused<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().start_paused(true).build().unwrap().block_on(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Impact;

    const EFFECTS: Effects = &[
        ("create", "Make [Set]"),
        ("tags", "Tag"),
        ("size", "Set"),
        ("part", "Add!"),
        ("part removed", "Remove!"),
        ("text", "Write|Choose"),
    ];

    fn change(name: &str) -> Change {
        let (field, to) = match name.strip_suffix(" removed") {
            Some(field) => (field, None),
            None => (name, Some("new")),
        };
        if name == "create" {
            return Change::Create;
        }
        Change::update(field, Some("old"), to, Impact::None).unwrap()
    }

    #[test]
    fn calls_are_compared_with_changes_in_both_directions() {
        type Case = (&'static [&'static str], &'static [&'static str], Option<&'static str>);
        let cases: [Case; 20] = [
            (&[], &[], None),
            (&[], &["Tag"], Some("Tag is called 1 times, and the changes need 0")),
            (&["create"], &["Make"], None),
            (&["create"], &["Make", "Set"], None),
            (&["create"], &["Set"], Some("Make is called 0 times, and the changes need 1")),
            (&["create"], &["Make", "Make"], Some("Make is called 2 times, and the changes need 1")),
            (&["tags.a", "tags.b"], &["Tag"], None),
            (&["tags.a", "tags.b"], &["Tag", "Tag"], Some("Tag is called 2 times, and the changes need 1")),
            (&["size", "create"], &["Make", "Set", "Set"], None),
            (&["size"], &[], Some("Set is called 0 times, and the changes need 1")),
            (&["part", "part"], &["Add", "Add"], None),
            (&["part", "part"], &["Add"], Some("Add is called 1 times, and the changes need 2")),
            (&["part", "size"], &["Add", "Set"], None),
            (&["part", "part removed"], &["Add", "Remove"], None),
            (&["part"], &["Add", "Remove"], Some("Remove is called 1 times, and the changes need 0")),
            (&["text"], &["Choose"], None),
            (&["text"], &["Choose", "Write"], None),
            (&["text"], &["Choose", "Choose"], Some("Choose is called 2 times, and the changes need 0")),
            (&["text"], &[], Some("text: old → new does not call Write|Choose")),
            (&["colour"], &[], Some("no row for colour: old → new")),
        ];
        for (changes, calls, expected) in cases {
            let all: Vec<Change> = changes.iter().map(|name| change(name)).collect();
            let called: Vec<String> = calls.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(mismatch(EFFECTS, &all, &called).as_deref(), expected, "{changes:?} {calls:?}");
        }
    }
}
