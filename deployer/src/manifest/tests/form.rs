//! Form: what is TOML, which keys there are, and what kind of value each takes.

use super::{mistake, title};
use insta::assert_snapshot;

#[test]
fn what_is_not_toml() {
    assert_snapshot!(mistake("name = us-east-1"), @r"
    this is not TOML: string values must be quoted, expected literal string
     --> stack.toml:1:8
      |
    1 | name = us-east-1
      |        ^^^^^^^^^
    ");
    assert_snapshot!(mistake(
        "name = \"a\"\n\
         name = \"b\""
    ), @r#"
    this is not TOML: duplicate key
     --> stack.toml:2:1
      |
    2 | name = "b"
      | ^^^^
    "#);
    assert_snapshot!(mistake(
        "[tables\n\
         name = \"a\""
    ), @r"
    this is not TOML: unclosed table, expected `]`
     --> stack.toml:1:8
      |
    1 | [tables
      |        ^
    ");
    assert_snapshot!(mistake(
        "[functions.a]\n\
         memory = 64 MB\n\
         [functions.b\n\
         "
    ), @r"
    stack.toml has 2 mistakes

    this is not TOML: string values must be quoted, expected literal string
     --> stack.toml:2:10
      |
    2 | memory = 64 MB
      |          ^^^^^

    this is not TOML: unclosed table, expected `]`
     --> stack.toml:3:13
      |
    3 | [functions.b
      |             ^
    ");
}

#[test]
fn a_key_that_there_is_not() {
    assert_snapshot!(mistake("regoin = \"us-east-1\""), @r"
    the manifest has no key regoin
     --> stack.toml:1:1
      |
    1 | regoin = ***********
      | ^^^^^^ did you mean region?
      |
      = help: its keys are allowed-accounts, api, functions, name, region, tables, tags
    ");
    assert_snapshot!(mistake("[table.orders]"), @r"
    the manifest has no key table
     --> stack.toml:1:2
      |
    1 | [table.orders]
      |  ^^^^^ did you mean tables?
      |
      = help: its keys are allowed-accounts, api, functions, name, region, tables, tags
    ");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         partition_key = 1"
    ), @r"
    tables.orders has no key partition_key
     --> stack.toml:2:1
      |
    2 | partition_key = *
      | ^^^^^^^^^^^^^ did you mean partition-key?
      |
      = help: its keys are billing, deletion-protection, partition-key, point-in-time-recovery, sort-key, ttl
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         memroy = 256"
    ), @r"
    functions.f has no key memroy
     --> stack.toml:2:1
      |
    2 | memroy = ***
      | ^^^^^^ did you mean memory?
      |
      = help: its keys are architecture, binary, description, environment, handler, lab, log-retention-days, memory, package, permissions-boundary, policy, reserved-concurrency, role, runtime, tables, timeout, tracing, zip
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         rate = 5"
    ), @r"
    api has no key rate
     --> stack.toml:2:1
      |
    2 | rate = *
      | ^^^^
      |
      = help: its keys are error-responses, name, proof, routes, stage, throttle, variables
    ");
    assert_snapshot!(mistake(
        "[[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"LambdaFunctionOverHttps\"\n\
         timeout = 5"
    ), @r"
    api.routes has no key timeout
     --> stack.toml:5:1
      |
    5 | timeout = *
      | ^^^^^^^ did you mean timeout-ms?
      |
      = help: its keys are auth, error-responses, function, integration, method, path, timeout-ms
    ");
    assert_snapshot!(mistake("xyz = 1"), @r"
    the manifest has no key xyz
     --> stack.toml:1:1
      |
    1 | xyz = *
      | ^^^
      |
      = help: its keys are allowed-accounts, api, functions, name, region, tables, tags
    ");
}

#[test]
fn a_key_that_has_to_be_there() {
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         partition-key = {}"
    ), @r#"
    stack.toml has 2 mistakes

    tables.orders.partition-key needs the key name
     --> stack.toml:2:17
      |
    2 | partition-key = {}
      |                 ^^
      |
      = help: for example, name = "id"

    tables.orders.partition-key needs the key type
     --> stack.toml:2:17
      |
    2 | partition-key = {}
      |                 ^^
      |
      = help: for example, type = "S"
    "#);
    assert_snapshot!(mistake(
        "[api]\n\
         throttle = { rate = 5 }"
    ), @r"
    api.throttle needs the key burst
     --> stack.toml:2:12
      |
    2 | throttle = { rate = 5 }
      |            ^^^^^^^^^^^^
      |
      = help: for example, burst = 200
    ");
    assert_snapshot!(mistake(
        "[[api.routes]]\n\
         path = \"/\""
    ), @r#"
    stack.toml has 2 mistakes

    api.routes needs the key method
     --> stack.toml:1:1
      |
    1 | [[api.routes]]
      | ^^^^^^^^^^^^^^
      |
      = help: for example, method = "POST"

    api.routes needs the key function
     --> stack.toml:1:1
      |
    1 | [[api.routes]]
      | ^^^^^^^^^^^^^^
      |
      = help: for example, function = "LambdaFunctionOverHttps"
    "#);
}

#[test]
fn another_kind_of_value() {
    assert_snapshot!(mistake("name = 5"), @r"
    name must be text
     --> stack.toml:1:8
      |
    1 | name = 5
      |        ^ this is a whole number
      |
      = help: put it in quotes
    ");
    assert_snapshot!(mistake("tables = 5"), @r"
    tables must be tables like [tables.NAME]
     --> stack.toml:1:10
      |
    1 | tables = 5
      |          ^ this is a whole number
    ");
    assert_snapshot!(mistake(
        "[tables]\n\
         orders = 5"
    ), @r"
    tables.orders must be a table like [tables.NAME]
     --> stack.toml:2:10
      |
    2 | orders = 5
      |          ^ this is a whole number
    ");
    assert_snapshot!(mistake("functions = \"f\""), @r#"
    functions must be tables like [functions.NAME]
     --> stack.toml:1:13
      |
    1 | functions = "f"
      |             ^^^ this is text
    "#);
    assert_snapshot!(mistake(
        "[functions]\n\
         f = true"
    ), @r"
    functions.f must be a table like [functions.NAME]
     --> stack.toml:2:5
      |
    2 | f = true
      |     ^^^^ this is true or false
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         tracing = \"yes\""
    ), @r#"
    functions.f.tracing must be true or false, without quotes
     --> stack.toml:2:11
      |
    2 | tracing = "yes"
      |           ^^^^^ this is text
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         memory = 128.5"
    ), @r"
    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:2:10
      |
    2 | memory = 128.5
      |          ^^^^^ this is a number
    ");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         partition-key = \"id\""
    ), @r#"
    tables.orders.partition-key must be a table like { name = "id", type = "S" }
     --> stack.toml:2:17
      |
    2 | partition-key = "id"
      |                 ^^^^ this is text
    "#);
    assert_snapshot!(mistake("api = []"), @r"
    api must be a table like [api]
     --> stack.toml:1:7
      |
    1 | api = []
      |       ^^ this is a list
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         throttle = 5"
    ), @r"
    api.throttle must be a table like { rate = 100, burst = 200 }
     --> stack.toml:2:12
      |
    2 | throttle = 5
      |            ^ this is a whole number
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         routes = {}"
    ), @r"
    api.routes must be a list of tables like [[api.routes]]
     --> stack.toml:2:10
      |
    2 | routes = {}
      |          ^^ this is a table
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         routes = [\"GET /\"]"
    ), @r#"
    api.routes must be a table like [[api.routes]]
     --> stack.toml:2:11
      |
    2 | routes = ["GET /"]
      |           ^^^^^^^ this is text
    "#);
    assert_snapshot!(mistake("tags = 2026-11-20"), @r#"
    tags must be a table like { team = "shop" }
     --> stack.toml:1:8
      |
    1 | tags = 2026-11-20
      |        ^^^^^^^^^^ this is a date
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         memory = 99999999999999999999"
    ), @r"
    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:2:10
      |
    2 | memory = 99999999999999999999
      |          ^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn all_mistakes_in_the_order_of_the_text() {
    assert_snapshot!(mistake("[api]\nstage = \"a b\"\n\n[functions.f]\nmemory = 1\n\n[tables.x]\nttl = \"\"\n"), @r#"
    stack.toml has 4 mistakes

    the stage's name must be 1 to 128 characters of a-z A-Z 0-9 _ -
     --> stack.toml:2:9
      |
    2 | stage = "a b"
      |         ^^^^^ ' ' is none of them

    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:5:10
      |
    5 | memory = 1
      |          ^

    a table's name must be 3 to 255 characters of a-z A-Z 0-9 _ . -, and this one has 1
     --> stack.toml:7:9
      |
    7 | [tables.x]
      |         ^

    tables.x.ttl must be an attribute's name of 1 to 255 characters
     --> stack.toml:8:7
      |
    8 | ttl = ""
      |       ^^
    "#);
}

#[test]
fn lines_that_end_as_on_windows() {
    assert_snapshot!(mistake(
        "name = \"a\"\r\n\
         region = \"b\"\r\n\
         "
    ), @r#"
    region must be a region like "us-east-1"
     --> stack.toml:2:10
      |
    2 | region = "b"
      |          ^^^
    "#);
}

#[test]
fn of_many_mistakes_the_first_fifty_are_shown_in_no_time() {
    let started = std::time::Instant::now();
    let text = (0..20_000).map(|n| format!("unknown{n} = \"hush{n}\"\n")).collect::<String>();
    let error = mistake(&text);
    assert!(error.starts_with("stack.toml has 20000 mistakes, of which these are the first 50\n"), "{error}");
    assert_eq!(error.matches(" --> stack.toml:").count(), 50);
    assert!(error.contains("unknown49") && !error.contains("unknown50") && !error.contains("hush"));
    // Half a minute, when showing them took as many looks through the text as there are mistakes.
    assert!(started.elapsed() < std::time::Duration::from_secs(10), "{:?}", started.elapsed());
}

#[test]
fn a_key_with_a_line_break_stays_on_its_line() {
    let first = title("\"a\\nNothing to change.\" = 1", "");
    assert_eq!(first, "the manifest has no key a\\nNothing to change.");
}
