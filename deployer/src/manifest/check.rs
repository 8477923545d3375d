//! What one part of a manifest demands of another.

use super::function::{Function, Places};
use super::problem::{Problem, Problems};
use super::route::{LONGEST_MS, Route};
use crate::names::policy_of_role;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Range;

/// A function under its declared name.
pub(super) type Declared<'a> = (&'a str, Function, Places);

/// API Gateway gives up on a function before the longest time that Lambda gives it.
pub(super) fn timeouts(functions: &[Declared<'_>], routes: &[Route], problems: &Problems) {
    let longest = LONGEST_MS / 1000;
    for (name, _, at) in functions.iter().filter(|(_, function, _)| function.timeout > longest) {
        if let Some(route) = routes.iter().find(|route| route.function == *name) {
            let message = format!(
                "functions.{name}.timeout must be at most {longest} seconds, because API Gateway waits no longer for {} {}",
                route.method, route.path
            );
            problems.add(Problem::new(at.timeout.clone(), message));
        }
    }
}

/// Functions may share a role, and then share all that belongs to it. Roles that differ must differ enough for IAM.
pub(super) fn roles(functions: &[Declared<'_>], suffix: &str, problems: &Problems) {
    let policy = |role: &str| policy_of_role(&format!("{role}{suffix}")).to_lowercase();
    // The first function by what its policy is called. Roles that are one to IAM have one such name.
    let mut first_of: BTreeMap<String, &Declared<'_>> = BTreeMap::new();
    for declared in functions {
        let (name, function, at) = declared;
        let role = &function.role;
        let (other, its, its_places) = match first_of.entry(policy(role)) {
            Entry::Vacant(entry) => {
                entry.insert(declared);
                continue;
            }
            Entry::Occupied(entry) => *entry.get(),
        };
        if its.role == *role {
            let same = |what: &str, same: bool, at: &Range<usize>, its: &Range<usize>| {
                if !same {
                    let message = format!(
                        "the functions {other} and {name} share the role {role}, and must share {what} too"
                    );
                    let problem =
                        Problem::new(at.clone(), message).earlier(its.clone(), format!("that of {other}"));
                    problems.add(problem.help("or give one of them a role of its own"));
                }
            };
            same("its policy", its.policy == function.policy, &at.policy, &its_places.policy);
            same(
                "its permissions boundary",
                its.permissions_boundary == function.permissions_boundary,
                &at.permissions_boundary,
                &its_places.permissions_boundary,
            );
            continue;
        }
        let clash = if its.role.eq_ignore_ascii_case(role) {
            "differ in their case only, and IAM takes them for one"
        } else {
            "give their policies the same name"
        };
        let message = format!("the roles {} and {role} {clash}", its.role);
        problems
            .add(Problem::new(at.role.clone(), message).earlier(its_places.role.clone(), "the other role"));
    }
}
