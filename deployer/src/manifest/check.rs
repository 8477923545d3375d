//! What one part of a manifest demands of another.

use super::function::{Function, Places};
use super::problem::{Problem, Problems};
use super::route::{LONGEST_MS, Route};
use crate::names::policy_of_role;
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
    for (index, (name, function, at)) in functions.iter().enumerate() {
        let role = &function.role;
        for (other, its, its_places) in &functions[..index] {
            if its.role == *role {
                let same = |what: &str, same: bool, at: &Range<usize>, its: &Range<usize>| {
                    if !same {
                        let message = format!(
                            "the functions {other} and {name} share the role {role}, and must share {what} too"
                        );
                        let problem = Problem::new(at.clone(), message)
                            .earlier(its.clone(), format!("that of {other}"));
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
                break;
            }
            let clash = if its.role.eq_ignore_ascii_case(role) {
                "differ in their case only, and IAM takes them for one"
            } else if policy(&its.role) == policy(role) {
                "give their policies the same name"
            } else {
                continue;
            };
            let message = format!("the roles {} and {role} {clash}", its.role);
            problems.add(
                Problem::new(at.role.clone(), message).earlier(its_places.role.clone(), "the other role"),
            );
            break;
        }
    }
}
