//! How a function differs from its declaration.

use super::configuration::ConfigurationDiff;
use super::{Function, GO_ON, Needs, Observed, ROLE_ID_TAG, Variables, settled_state};
use crate::engine::{Change, Diff, Difference, Impact, TagsDiff};
use crate::packaging::{LARGEST_ZIP, Package};
use aws_sdk_lambda::types::{LastUpdateStatus, PackageType, State};

/// What is to be done about a function.
#[derive(Clone, Debug)]
pub(crate) enum FunctionDiff {
    /// There is none, or it is being deleted and has to be gone first.
    Create { awaits_deletion: bool },
    /// It is deleted and made again.
    Replace(Replacement),
    /// It cannot be made as declared.
    Refused(Change),
    /// Properties that differ.
    Update(Box<FunctionUpdate>),
}

/// Why a function is made again.
#[derive(Clone, Debug)]
pub(crate) struct Replacement {
    field: &'static str,
    difference: Difference<String>,
    why: &'static str,
}

/// The properties of a function that differ.
#[derive(Clone, Debug)]
pub(crate) struct FunctionUpdate {
    pub(super) tags: TagsDiff,
    pub(super) state: Option<Difference<String>>,
    /// The last update failed: what Lambda shows may be the old or the new, so code and configuration are sent again.
    pub(super) resends_all: bool,
    pub(super) code: Option<CodeDiff>,
    pub(super) architecture: Option<Difference<String>>,
    pub(super) configuration: ConfigurationDiff,
    pub(super) reserved_concurrency: Option<Difference<Option<i32>>>,
}

/// Other code than the function has.
#[derive(Clone, Debug)]
pub(crate) struct CodeDiff {
    sha256: Difference<String>,
    pub(super) transition: Transition,
}

/// What answers requests until the new code does. Code and runtime are changed by two calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transition {
    /// The runtime stays, so the old code.
    InPlace,
    /// Old and new code in one zip, under either runtime.
    Bridged,
    /// Nothing, because the old code cannot be had.
    Gap,
}

impl FunctionDiff {
    pub(super) fn between(declared: &Function, needs: Option<&Needs>, observed: Option<&Observed>) -> Self {
        let Some(observed) = observed else { return Self::Create { awaits_deletion: false } };
        if observed.state == State::Deleting {
            return Self::Create { awaits_deletion: true };
        }
        if observed.package_type != PackageType::Zip {
            let kind = Difference { observed: observed.package_type.as_str(), declared: "Zip" };
            let why = "Lambda keeps what a function was made of: delete it by hand, or declare another name";
            return Self::Refused(kind.refused("package-type", why));
        }
        if let Some(replacement) = Replacement::of(declared, needs, observed) {
            return match &observed.variables {
                Variables::Readable(_) => Self::Replace(replacement),
                Variables::Unreadable(why) => Self::Refused(replacement.refused(why)),
            };
        }
        Self::Update(Box::new(FunctionUpdate::between(declared, needs, observed)))
    }
}

impl Replacement {
    /// Why the function cannot be repaired in place, if so.
    fn of(declared: &Function, needs: Option<&Needs>, observed: &Observed) -> Option<Self> {
        if observed.state == State::Failed {
            return Some(Self {
                field: "state",
                difference: Difference { observed: "Failed".to_owned(), declared: "Active".to_owned() },
                why: "Lambda could not make it, and does not try again",
            });
        }
        // Under another ARN it is another role to the key as well, and Lambda makes a new grant for it.
        if observed.role_arn != declared.role_arn() || !observed.variables.are_encrypted() {
            return None;
        }
        let role_id = observed.tags.get(ROLE_ID_TAG)?.clone();
        Some(Self {
            field: "role-id",
            difference: Difference::between(role_id, declared_role_id(needs).to_owned())?,
            why: "its role was deleted and made again, and the key of its environment still answers only to the old one; \
                  the API answers 500 for some seconds",
        })
    }

    fn change(&self) -> Change {
        let Difference { observed, declared } = self.difference.clone();
        Change::Replace {
            field: self.field.to_owned(),
            from: observed.into(),
            to: declared.into(),
            why: self.why.to_owned(),
        }
    }

    /// Variables that nobody here can read would be lost.
    fn refused(&self, unreadable: &str) -> Change {
        let way_out = "making it again would lose its environment variables, which cannot be read; have yourself \
                       granted kms:Decrypt on their key, or delete the function by hand";
        self.difference.refused(self.field, format!("{}; {way_out} ({})", self.why, unreadable.trim_end()))
    }
}

/// A plan knows no role where there is none, and the one that `up` makes is another one.
fn declared_role_id(needs: Option<&Needs>) -> &str {
    needs.map_or("(a new role)", |(role, _)| role.role_id.as_str())
}

impl FunctionUpdate {
    fn between(declared: &Function, needs: Option<&Needs>, observed: &Observed) -> Self {
        let package = needs.and_then(|(_, package)| package.as_ref());
        Self {
            tags: tags(declared, needs, observed),
            state: Difference::between(settled_state(observed).to_owned(), "Active".to_owned()),
            resends_all: observed.last_update == LastUpdateStatus::Failed,
            code: package.and_then(|package| CodeDiff::between(declared, package, observed)),
            architecture: Difference::between(
                observed.architecture.clone(),
                declared.architecture.name().to_owned(),
            ),
            configuration: ConfigurationDiff::between(observed, declared),
            reserved_concurrency: Difference::between(
                observed.reserved_concurrency,
                declared.reserved_concurrency,
            ),
        }
    }

    /// Whether the function is being changed by somebody, so that this diff may be out of date.
    pub(super) fn must_wait(&self) -> bool {
        self.state.is_some() && !self.resends_all
    }

    /// Whether code is sent. The architecture is part of that call.
    pub(super) fn sends_code(&self) -> bool {
        self.resends_all || self.architecture.is_some() || self.code.is_some()
    }

    /// Whether old and new code serve together until the configuration is changed as well.
    pub(super) fn is_bridged(&self) -> bool {
        self.code.as_ref().is_some_and(|code| code.transition == Transition::Bridged)
    }

    fn changes(&self) -> Vec<Change> {
        let mut changes: Vec<Change> = self.tags.changes().collect();
        changes.extend(self.state.as_ref().map(|state| state.update("state", Impact::Notice("waited for"))));
        changes.extend(self.code.iter().flat_map(CodeDiff::changes));
        let anew = "requests go on meanwhile; every instance starts anew";
        changes
            .extend(self.architecture.as_ref().map(|name| name.update("architecture", Impact::Notice(anew))));
        changes.extend(self.configuration.changes());
        let reserved = self.reserved_concurrency.as_ref();
        changes.extend(reserved.map(|reserved| reserved.update("reserved-concurrency", Impact::None)));
        changes
    }
}

impl CodeDiff {
    fn between(declared: &Function, new: &Package, observed: &Observed) -> Option<Self> {
        let sha256 = Difference::between(observed.code_sha256.clone(), new.sha256().to_owned())?;
        let fits = observed.code_size + new.size() <= LARGEST_ZIP;
        let transition = if !declared.starts_otherwise(observed) {
            Transition::InPlace
        } else if observed.code_out_of_reach.is_none() && fits {
            Transition::Bridged
        } else {
            Transition::Gap
        };
        Some(Self { sha256, transition })
    }

    fn changes(&self) -> Vec<Change> {
        let go_on = || Impact::Notice(GO_ON);
        match self.transition {
            Transition::InPlace => vec![self.sha256.update("code", go_on())],
            Transition::Bridged => {
                let between = Difference { observed: "the old", declared: "the old and the new" };
                vec![self.sha256.update("code", go_on()), between.update("code-in-between", go_on())]
            }
            Transition::Gap => {
                let gap = "the old code cannot be had, so requests fail until the runtime is changed as well";
                vec![self.sha256.update("code-with-a-gap", Impact::Notice(gap))]
            }
        }
    }
}

fn tags(declared: &Function, needs: Option<&Needs>, observed: &Observed) -> TagsDiff {
    let tags = match needs {
        Some(needs) => declared.wanted_tags(needs, &observed.tags),
        None => {
            let mut tags = declared.existing.scope.tags();
            tags.insert(ROLE_ID_TAG.to_owned(), declared_role_id(None).to_owned());
            tags
        }
    };
    TagsDiff::between(&observed.tags, &tags)
}

impl Diff for FunctionDiff {
    fn changes(&self) -> Vec<Change> {
        match self {
            Self::Create { .. } => vec![Change::Create],
            Self::Replace(replacement) => vec![replacement.change()],
            Self::Refused(change) => vec![change.clone()],
            Self::Update(update) => update.changes(),
        }
    }
}
