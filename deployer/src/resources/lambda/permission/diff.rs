//! How the statements of a function's resource policy differ from its routes.

use super::{Observed, POLICY_BYTES, Part, Permission, Statement};
use crate::engine::{Change, Diff, Difference, Impact, Shown};
use crate::resources::api_gateway::rest_api;
use crate::resources::lambda::function;

/// What is to be done about the statements of one function.
#[derive(Clone, Debug)]
pub(crate) struct PermissionDiff {
    /// There is no statement yet, so people read that the permission is created. `missing` has its statements once the API
    /// is known.
    creates: bool,
    /// Sources to allow.
    pub(super) missing: Vec<String>,
    /// Statements to remove.
    pub(super) stale: Vec<Statement>,
    /// Statements that a later step removes. This one removes them already where the policy has no room for the missing
    /// ones otherwise.
    pub(super) stale_later: Vec<Statement>,
    /// The policy would be longer than Lambda takes.
    too_long: Option<TooLong>,
}

#[derive(Clone, Copy, Debug)]
struct TooLong {
    bytes: usize,
    routes: usize,
}

impl PermissionDiff {
    pub(super) fn between(
        declared: &Permission,
        needs: Option<&(function::Output, rest_api::Output)>,
        observed: Option<&Observed>,
    ) -> Self {
        let api = needs.map(|(_, api)| api);
        let is_new = needs.is_some_and(|(function, _)| function.fresh);
        let (Some(api), Some(observed)) = (api, observed.filter(|_| !is_new)) else {
            // Where there is nothing yet, nothing goes; and a function may have no route, or none any more.
            let adds = declared.part != Part::Removing;
            return Self {
                creates: adds && !declared.routes.is_empty(),
                missing: api.filter(|_| adds).map(|api| declared.wanted(api)).unwrap_or_default(),
                stale: Vec::new(),
                stale_later: Vec::new(),
                too_long: TooLong::of(declared, api, None),
            };
        };
        let stale = declared.stale(api, observed);
        let (stale, stale_later) = match declared.part {
            Part::All | Part::Removing => (stale, Vec::new()),
            Part::Adding => (Vec::new(), stale),
        };
        Self {
            creates: false,
            missing: declared.missing(api, observed),
            stale,
            stale_later,
            too_long: TooLong::of(declared, Some(api), Some(observed)),
        }
    }
}

impl TooLong {
    fn of(
        declared: &Permission,
        api: Option<&rest_api::Output>,
        observed: Option<&Observed>,
    ) -> Option<Self> {
        let bytes = declared.policy_size(api, observed);
        let is_too_long = declared.part != Part::Removing && bytes > POLICY_BYTES;
        is_too_long.then_some(Self { bytes, routes: declared.routes.len() })
    }

    fn refused(self) -> Change {
        let Self { bytes, routes } = self;
        Difference { observed: Shown::Nothing, declared: format!("{bytes} bytes for {routes} routes").into() }
            .refused(
                "statements",
                "a function's resource policy may have 20,480; take routes together as ANY /…/{proxy+}, or \
                 declare a second function for some of them",
            )
    }
}

impl Diff for PermissionDiff {
    fn changes(&self) -> Vec<Change> {
        let statement = |observed: Option<&str>, declared: Option<&str>| {
            Difference { observed, declared }.update("statement", Impact::None)
        };
        let created = self.creates.then_some(Change::Create);
        let missing = self.missing.iter().filter(|_| !self.creates);
        let missing = missing.map(|source| statement(None, Some(source)));
        let stale = self.stale.iter();
        let stale = stale.map(|old| statement(Some(old.source_arn.as_deref().unwrap_or(&old.id)), None));
        let too_long = self.too_long.map(TooLong::refused);
        created.into_iter().chain(missing).chain(stale).chain(too_long).collect()
    }
}
