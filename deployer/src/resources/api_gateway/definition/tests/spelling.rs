//! Paths of an adopted API stay as they are spelled.

use super::*;

/// The paths of `declared` as they come out where `seen` is.
fn spelled(declared: &[&str], seen: &[&str]) -> Vec<String> {
    let of = |paths: &[&str]| of(&paths.iter().map(|path| route("GET", path)).collect::<Vec<_>>());
    let (declared, seen) = (of(declared), of(seen));
    let there = declared.spelled_like(&seen);
    // What dependents are told is what is there.
    let spelling = declared.spelling(&there);
    assert_eq!(
        spelling.keys().collect::<Vec<_>>(),
        declared.0.keys().map(|(path, _)| path).collect::<Vec<_>>()
    );
    assert_eq!(
        spelling.values().collect::<BTreeSet<_>>(),
        there.0.keys().map(|(path, _)| path).collect::<BTreeSet<_>>()
    );
    spelling.into_values().collect()
}

#[test]
fn a_path_that_differs_in_its_case_alone_keeps_it() {
    assert_eq!(spelled(&["/DynamoDBManager"], &["/dynamodbmanager"]), ["/dynamodbmanager"]);
    assert_eq!(spelled(&["/Items/{id}"], &["/items/{ID}"]), ["/items/{ID}"]);
}

#[test]
fn a_path_that_is_there_as_declared_or_not_at_all_is_as_declared() {
    assert_eq!(spelled(&["/items"], &["/Items", "/items"]), ["/items"]);
    assert_eq!(spelled(&["/items"], &["/other"]), ["/items"]);
    assert_eq!(spelled(&["/items"], &[]), ["/items"]);
}

#[test]
fn no_two_routes_become_one() {
    assert_eq!(spelled(&["/A", "/a"], &["/a"]), ["/A", "/a"]);
    assert_eq!(spelled(&["/A", "/a"], &["/A", "/a"]), ["/A", "/a"]);
    assert_eq!(spelled(&["/AB", "/aB"], &["/ab"]), ["/AB", "/aB"]);
}
