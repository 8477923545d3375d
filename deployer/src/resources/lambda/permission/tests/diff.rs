//! What counts as a difference, and which statements are read as ours.

use super::*;

fn lines(permission: &Permission, seen: &Observed) -> Vec<String> {
    permission.diff(Some(&needs()), Some(seen)).changes().iter().map(ToString::to_string).collect()
}

#[test]
fn each_statement_is_compared_as_it_is_meant() {
    let wanted = source(API);
    let (add, stale) = (format!("statement: (none) → {wanted}"), source("gone"));
    let other_condition = |condition: Value| {
        let mut statement = ours(&wanted);
        statement["Condition"] = condition;
        vec![statement]
    };
    let changed = |field: &str, value: &str| {
        let mut statement = ours(&wanted);
        statement[field] = value.into();
        vec![statement]
    };
    let tampered = vec![add.clone(), format!("statement: {} → (none)", id_of(&wanted))];
    let cases: Vec<(&str, Vec<Value>, Vec<String>)> = vec![
        ("as declared", vec![ours(&wanted)], vec![]),
        ("made by hand", vec![statement("console-1", &wanted)], vec![]),
        ("somebody else's beside it", vec![statement("theirs", &stale), ours(&wanted)], vec![]),
        (
            "with the older operator and spelling",
            other_condition(json!({"StringLike": {"aws:SourceArn": &wanted}})),
            vec![],
        ),
        ("somebody else's only", vec![statement("theirs", &stale)], vec![add.clone()]),
        (
            "of an API that is gone",
            vec![ours(&stale)],
            vec![add.clone(), format!("statement: {stale} → (none)")],
        ),
        ("for every API", other_condition(Value::Null), tampered.clone()),
        (
            "with one more condition",
            other_condition(json!({
                "ArnLike": {"AWS:SourceArn": &wanted}, "StringEquals": {"AWS:SourceAccount": "1"},
            })),
            tampered.clone(),
        ),
        ("that denies", changed("Effect", "Deny"), tampered.clone()),
        ("for another action", changed("Action", "lambda:*"), tampered.clone()),
        ("for anybody", changed("Principal", "*"), tampered),
    ];
    for (name, statements, expected) in cases {
        assert_eq!(lines(&permission(), &seen(&statements)), expected, "a statement {name}");
    }
}

#[test]
fn before_the_function_or_the_api_is_there_it_is_created() {
    let seen = seen(&[ours(&source(API))]);
    assert_eq!(permission().diff(None, Some(&seen)).changes(), [Change::Create]);
    assert_eq!(permission().diff(Some(&needs()), None).changes(), [Change::Create]);
    // A function that was made again lost the statements that were seen.
    assert_eq!(permission().diff(Some(&fresh()), Some(&seen)).changes(), [Change::Create]);
}

#[test]
fn a_dropped_route_loses_its_statement() {
    let dropped = "arn:aws:execute-api:us-east-1:123456789012:api1/*/GET/old";
    let seen = seen(&[ours(&source(API)), ours(dropped)]);
    assert_eq!(lines(&permission(), &seen), [format!("statement: {dropped} → (none)")]);
}

#[test]
fn routes_become_patterns_as_api_gateway_matches_them() {
    let mut api = api(API);
    api.spelling.insert("/DynamoDBManager".to_owned(), "/dynamodbmanager".to_owned());
    let permission = with_routes(&[
        ("POST", "/DynamoDBManager"),
        ("ANY", "/items/{id}"),
        ("GET", "/"),
        ("ANY", "/{proxy+}"),
    ]);
    let prefix = "arn:aws:execute-api:us-east-1:123456789012:api1/*/";
    assert_eq!(
        permission.wanted(&api),
        ["POST/dynamodbmanager", "*/items/*", "GET/", "*/*"].map(|end| format!("{prefix}{end}"))
    );
}

#[test]
fn ids_are_of_the_form_that_lambda_takes() {
    let id = id_of(&source(API));
    assert!(id.starts_with(PREFIX));
    assert!(id.len() <= 100);
    assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
    assert_ne!(id, id_of(&source("api2")));
}

#[test]
fn a_policy_that_is_no_list_is_read_too() {
    let one = statements(&json!({"Statement": ours(&source(API))}).to_string());
    assert_eq!(one, seen(&[ours(&source(API))]).statements);
    assert!(statements("").is_empty());
    assert_eq!(permission().existing.state(&Observed { statements: one }), "1 statement");
}

#[test]
fn half_of_the_work_is_half_of_the_difference() {
    let (wanted, stale) = (source(API), source("gone"));
    let seen = seen(&[ours(&stale)]);
    let (add, remove) = (format!("statement: (none) → {wanted}"), format!("statement: {stale} → (none)"));
    let of = |part| lines(&permission().only(part), &seen);
    assert_eq!(of(Part::Adding), [add.as_str()]);
    assert_eq!(of(Part::Removing), [remove.as_str()]);
    assert_eq!(of(Part::All), [add, remove]);
    let of_a_new_function = |part| permission().only(part).diff(Some(&fresh()), None).changes();
    assert_eq!(of_a_new_function(Part::Adding), [Change::Create]);
    assert_eq!(of_a_new_function(Part::Removing), []);
}

#[test]
fn a_function_without_routes_needs_no_statement() {
    let nobody = with_routes(&[]);
    assert_eq!(nobody.diff(None, None).changes(), []);
    assert_eq!(nobody.diff(Some(&needs()), None).changes(), []);
    assert_eq!(nobody.diff(Some(&fresh()), None).changes(), []);
    let left = source(API);
    assert_eq!(lines(&nobody, &seen(&[ours(&left)])), [format!("statement: {left} → (none)")]);
}

/// Lambda would refuse the statement that is one too many, when most of the stack stands.
#[test]
fn more_routes_than_fit_into_a_policy_are_refused() {
    let routes: Vec<String> = (0..80).map(|number| format!("/items/{number:0>40}")).collect();
    let with = |count: usize| {
        with_routes(&routes.iter().take(count).map(|path| ("GET", path.as_str())).collect::<Vec<_>>())
    };
    let size = |permission: &Permission| {
        let needs = needs();
        let statements = permission.wanted(&needs.1).into_iter();
        let statements: Vec<Value> = statements.map(|source| permission.statement(&source)).collect();
        json!({ "Version": "2012-10-17", "Id": "default", "Statement": statements }).to_string().len()
    };
    let is_refused = |permission: &Permission, seen: Option<&Observed>| {
        let changes = permission.diff(Some(&needs()), seen).changes();
        changes.iter().any(|change| matches!(change, Change::Refused { .. }))
    };
    let most = (1..80).rfind(|count| size(&with(*count)) <= 20_480).unwrap();
    assert!(!is_refused(&with(most), None), "{most}");
    assert!(is_refused(&with(most + 1), None));
    assert!(with(most + 1).diff(None, None).changes().len() == 2, "also where there is no API yet");
    let theirs = seen(&[statement("theirs", &source("gone"))]);
    assert!(is_refused(&with(most), Some(&theirs)), "what somebody else has put there takes its place");
    let by_hand = statement("console-1", &with(1).wanted(&needs().1)[0]);
    assert!(!is_refused(&with(most), Some(&seen(&[by_hand]))), "it is one of them");
}
