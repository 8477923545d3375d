//! Functions.

use super::{mistake, title};
use insta::assert_snapshot;

#[test]
fn numbers() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         memory = 127"
    ), @r"
    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:2:10
      |
    2 | memory = 127
      |          ^^^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         memory = 10241"
    ), @r"
    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:2:10
      |
    2 | memory = 10241
      |          ^^^^^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         timeout = 0"
    ), @r"
    functions.f.timeout must be a whole number of seconds from 1 to 1800
     --> stack.toml:2:11
      |
    2 | timeout = 0
      |           ^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         timeout = 1801"
    ), @r"
    functions.f.timeout must be a whole number of seconds from 1 to 1800
     --> stack.toml:2:11
      |
    2 | timeout = 1801
      |           ^^^^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         reserved-concurrency = -1"
    ), @r"
    functions.f.reserved-concurrency must be a whole number of executions, at least 0
     --> stack.toml:2:24
      |
    2 | reserved-concurrency = -1
      |                        ^^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         log-retention-days = 15"
    ), @r"
    functions.f.log-retention-days must be one of the numbers that CloudWatch Logs takes
     --> stack.toml:2:22
      |
    2 | log-retention-days = 15
      |                      ^^ the next longer one is 30
      |
      = help: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         log-retention-days = 4000"
    ), @r"
    functions.f.log-retention-days must be a whole number of days from 1 to 3653
     --> stack.toml:2:22
      |
    2 | log-retention-days = 4000
      |                      ^^^^
    ");
}

#[test]
fn a_timeout_that_the_api_does_not_wait_for() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         timeout = 30"
    ), @r"
    functions.f.timeout must be at most 29 seconds, because API Gateway waits no longer for POST /DynamoDBManager
     --> stack.toml:2:11
      |
    2 | timeout = 30
      |           ^^
    ");
}

#[test]
fn words() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         architecture = \"arm\""
    ), @r#"
    functions.f.architecture must be "x86_64" or "arm64"
     --> stack.toml:2:16
      |
    2 | architecture = "arm"
      |                ^^^^^ did you mean "arm64"?
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         architecture = \"sparc\""
    ), @r#"
    functions.f.architecture must be "x86_64" or "arm64"
     --> stack.toml:2:16
      |
    2 | architecture = "sparc"
      |                ^^^^^^^
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         policy = \"\""
    ), @r#"
    functions.f.policy must be the path of a policy document
     --> stack.toml:2:10
      |
    2 | policy = ""
      |          ^^
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         permissions-boundary = \"boundary\""
    ), @r#"
    functions.f.permissions-boundary must be the ARN of a policy, like "arn:aws:iam::123456789012:policy/NAME"
     --> stack.toml:2:24
      |
    2 | permissions-boundary = "boundary"
      |                        ^^^^^^^^^^
    "#);
    assert_snapshot!(title(&format!("[functions.f]\ndescription = \"{}\"", "a".repeat(257)), ""), @r"functions.f.description must be text of at most 256 characters");
}

#[test]
fn code() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         package = \"f\"\n\
         zip = \"f.zip\""
    ), @r#"
    functions.f.package cannot stand beside zip: a function's code is built from a package or is a zip that is ready
     --> stack.toml:2:11
      |
    2 | package = "f"
      |           ^^^
    3 | zip = "f.zip"
      |       ------- the zip
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         zip = \"f.zip\""
    ), @r#"
    stack.toml has 2 mistakes

    functions.f.zip needs the key runtime beside it
     --> stack.toml:2:7
      |
    2 | zip = "f.zip"
      |       ^^^^^^^
      |
      = help: like runtime = "nodejs24.x"

    functions.f.zip needs the key handler beside it
     --> stack.toml:2:7
      |
    2 | zip = "f.zip"
      |       ^^^^^^^
      |
      = help: like handler = "index.handler"
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         runtime = \"nodejs24.x\""
    ), @r#"
    functions.f.runtime goes with zip only: a Cargo package is built for provided.al2023
     --> stack.toml:2:11
      |
    1 | [functions.f]
      |            - this function has no zip
    2 | runtime = "nodejs24.x"
      |           ^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         zip = \"\"\n\
         runtime = \"Node 24\"\n\
         handler = \"a b\""
    ), @r#"
    stack.toml has 3 mistakes

    functions.f.zip must be the path of a zip file
     --> stack.toml:2:7
      |
    2 | zip = ""
      |       ^^

    functions.f.runtime must be a runtime of Lambda, like "nodejs24.x"
     --> stack.toml:3:11
      |
    3 | runtime = "Node 24"
      |           ^^^^^^^^^

    functions.f.handler must be 1 to 128 characters without spaces, like "index.handler"
     --> stack.toml:4:11
      |
    4 | handler = "a b"
      |           ^^^^^
    "#);
}

#[test]
fn tables_that_nobody_declares() {
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         [functions.f]\n\
         tables = [\"order\"]"
    ), @r#"
    the manifest declares no table order
     --> stack.toml:3:11
      |
    3 | tables = ["order"]
      |           ^^^^^^^ did you mean orders?
      |
      = help: it declares orders
    "#);
    assert_snapshot!(mistake(
        "[tables]\n\
         [functions.f]\n\
         tables = [\"orders\"]"
    ), @r#"
    the manifest declares no table orders
     --> stack.toml:3:11
      |
    3 | tables = ["orders"]
      |           ^^^^^^^^
      |
      = help: it declares none at all
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         tables = \"lambda-apigateway\""
    ), @r#"
    functions.f.tables must be a list like ["NAME"]
     --> stack.toml:2:10
      |
    2 | tables = "lambda-apigateway"
      |          ^^^^^^^^^^^^^^^^^^^ this is text
    "#);
}

#[test]
fn a_role_that_two_share() {
    assert_snapshot!(mistake(
        "[functions.a]\n\
         policy = \"a.json\"\n\
         [functions.b]\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"a\""
    ), @r#"
    the functions a and b share the role lambda-apigateway-role, and must share its policy too
     --> stack.toml:3:12
      |
    2 | policy = "a.json"
      |          -------- that of a
    3 | [functions.b]
      |            ^
      |
      = help: or give one of them a role of its own
    "#);
    assert_snapshot!(mistake(
        "[functions.a]\n\
         role = \"r\"\n\
         [functions.b]\n\
         role = \"r\"\n\
         permissions-boundary = \"arn:aws:iam::aws:policy/PowerUserAccess\"\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"a\""
    ), @r#"
    the functions a and b share the role r, and must share its permissions boundary too
     --> stack.toml:5:24
      |
    1 | [functions.a]
      |            - that of a
    ...
    5 | permissions-boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
      |                        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: or give one of them a role of its own
    "#);
}

#[test]
fn no_function_at_all() {
    assert_snapshot!(mistake("[functions]"), @r"
    functions must declare one at least, for the API to call
     --> stack.toml:1:1
      |
    1 | [functions]
      | ^^^^^^^^^^^
      |
      = help: without this section, the stack has the function of the lab
    ");
}

#[test]
fn a_boundary_is_an_arn_that_iam_could_know() {
    let is_refused = |arn: &str| {
        let text = format!(
            "[functions.f]\npermissions-boundary = \"{arn}\"\n[[api.routes]]\nmethod = \"GET\"\npath = \"/\"\nfunction = \"f\""
        );
        super::parse(&text).is_err()
    };
    let own = "arn:aws:iam::123456789012:policy";
    for arn in [
        format!("{own}/boundary"),
        format!("{own}/teams/shop/boundary+=,.@_-1"),
        "arn:aws-us-gov:iam::123456789012:policy/b".to_owned(),
        "arn:aws:iam::aws:policy/PowerUserAccess".to_owned(),
        format!("{own}/{}", "a".repeat(128)),
    ] {
        assert!(!is_refused(&arn), "{arn}");
    }
    for arn in [
        format!("{own}/"),
        format!("{own}/teams/"),
        format!("{own}/with space"),
        format!("{own}/a*"),
        format!("{own}/{}", "a".repeat(129)),
        format!("{own}/{}/b", "a".repeat(511)),
        "arn:AWS:iam::123456789012:policy/b".to_owned(),
        "arn:aws:iam:us-east-1:123456789012:policy/b".to_owned(),
        "arn:aws:iam::12345678901:policy/b".to_owned(),
        "arn:aws:iam::123456789012:role/b".to_owned(),
    ] {
        assert!(is_refused(&arn), "{arn}");
    }
}
