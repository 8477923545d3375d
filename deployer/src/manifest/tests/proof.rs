//! The request by which a stack is seen to answer.

use super::{mistake, parse, title};
use crate::proof::ExpectedAnswer;
use insta::assert_snapshot;

const ROUTES: &str = r#"
[functions.f]
[[api.routes]]
method = "GET"
path = "/items/{id}"
function = "f"
integration = "aws-proxy"
[[api.routes]]
method = "ANY"
path = "/items"
function = "f"
[[api.routes]]
method = "POST"
path = "/items"
function = "f"
auth = "iam"
[[api.routes]]
method = "PUT"
path = "/all/{proxy+}"
function = "f"
"#;

fn declared(proof: &str) -> String {
    format!("api.proof = {proof}\n{ROUTES}")
}

#[test]
fn a_proof_is_a_request_to_a_route_and_what_has_to_come_back() {
    let of = |proof: &str| parse(&declared(proof)).unwrap().api.proof.unwrap();
    let least = of(r#"{ path = "/items/7" }"#);
    assert_eq!((least.method.as_str(), least.path.as_str(), least.body.as_str()), ("GET", "/items/7", ""));
    assert_eq!((least.name.as_str(), least.expected), ("GET /items/7", ExpectedAnswer::Success(None)));
    let most = of(r#"{ method = "PUT", path = "/all/a/b?c=1&d", body = '{"a": 1}', expect = "done" }"#);
    assert_eq!((most.method.as_str(), most.path.as_str()), ("PUT", "/all/a/b?c=1&d"));
    assert_eq!((most.body.as_str(), most.name.as_str()), (r#"{"a": 1}"#, "PUT /all/a/b?c=1&d"));
    assert_eq!(most.expected, ExpectedAnswer::Success(Some("done".to_owned())));
    let only = parse("[api]\nproof = { path = \"/DynamoDBManager\", body = '{}' }").unwrap();
    assert_eq!(only.api.proof.unwrap().method, "POST", "a request with a body");
}

#[test]
fn a_proof_that_cannot_be_sent_is_a_mistake() {
    assert_snapshot!(mistake(&declared(r#"{ method = "GET", body = "" }"#)), @r#"
    stack.toml has 2 mistakes

    api.proof needs the key path
     --> stack.toml:1:13
      |
    1 | api.proof = { method = "GET", body = "" }
      |             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: for example, path = "/items/1"

    api.proof.body must be text of 1 to 65536 bytes
     --> stack.toml:1:38
      |
    1 | api.proof = { method = "GET", body = "" }
      |                                      ^^
    "#);
    assert_snapshot!(mistake(&declared(r#"{ path = "/items", body = "{}" }"#)), @r#"
    api.proof.path leads to the route POST /items, which asks for credentials
     --> stack.toml:1:22
      |
    1 | api.proof = { path = "/items", body = "{}" }
      |                      ^^^^^^^^
      |
      = help: deployer sends none with a proof: choose a route with auth = "none"
    "#);
    assert_snapshot!(mistake(&declared(r#"{ method = "DELETE", path = "/items/7" }"#)), @r#"
    api.proof.path is for no route of the API: none takes DELETE /items/7
     --> stack.toml:1:41
      |
    1 | api.proof = { method = "DELETE", path = "/items/7" }
      |                                         ^^^^^^^^^^
      |
      = help: its routes are GET /items/{id}, ANY /items, POST /items, PUT /all/{proxy+}
    "#);
    let cases = [
        (
            r#"{ path = "/items/{id}" }"#,
            "api.proof.path must have its parameters filled in, like /items/1 for /items/{id}",
        ),
        (r#"{ path = "items" }"#, "api.proof.path must begin with /, below the stage"),
        (
            r#"{ path = "/items/a b" }"#,
            "api.proof.path must not have ' '; in a URL it would be a % and two digits",
        ),
        (
            r#"{ path = "/items/ä" }"#,
            "api.proof.path must not have 'ä'; in a URL it would be a % and two digits",
        ),
        (
            r#"{ path = "/items", method = "GET", body = "{}" }"#,
            "api.proof.body goes with another method: a GET has no body",
        ),
        (
            r#"{ path = "/items", method = "HEAD" }"#,
            r#"api.proof.method must be "GET", "POST", "PUT", "PATCH", "DELETE" or "OPTIONS""#,
        ),
        (
            r#"{ path = "/items", expect = "" }"#,
            "api.proof.expect must be a part of the answer, of 1 to 1024 bytes",
        ),
        (r#""/items""#, r#"api.proof must be a table like { path = "/items/1" }"#),
    ];
    for (proof, expected) in cases {
        assert_eq!(title(&declared(proof), ""), expected, "{proof}");
    }
}

#[test]
fn a_proof_has_bounds() {
    let long = |path: usize, body: usize, expected: usize| {
        declared(&format!(
            "{{ method = \"PUT\", path = \"/all/{}\", body = \"{}\", expect = \"{}\" }}",
            "a".repeat(path - 5),
            "b".repeat(body),
            "c".repeat(expected)
        ))
    };
    assert!(parse(&long(2048, 65_536, 1024)).is_ok());
    for text in [long(2049, 1, 1), long(2048, 65_537, 1), long(2048, 1, 1025)] {
        assert!(parse(&text).is_err());
    }
}

/// One mistake is said once.
#[test]
fn nothing_is_said_of_a_proof_whose_routes_are_wrong() {
    let text = "[api]\nproof = { path = \"/a\" }\nroutes = [{ method = \"GET\" }]";
    assert!(!mistake(text).contains("api.proof"), "{}", mistake(text));
}
