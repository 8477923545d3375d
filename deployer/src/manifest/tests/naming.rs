//! Names, in their characters and their length with the suffix of `--env`.

use super::{mistake, title};
use insta::assert_snapshot;

#[test]
fn the_stack() {
    assert_snapshot!(mistake("name = \"my lab\""), @r#"
    the stack's name must be 1 to 256 characters of a-z A-Z 0-9 _ . : / = + @ -
     --> stack.toml:1:8
      |
    1 | name = "my lab"
      |        ^^^^^^^^ ' ' is none of them
    "#);
    assert_snapshot!(mistake("name = \"\""), @r#"
    the stack's name must be 1 to 256 characters of a-z A-Z 0-9 _ . : / = + @ -, and this one has 0
     --> stack.toml:1:8
      |
    1 | name = ""
      |        ^^
    "#);
    assert_snapshot!(title(&format!("name = \"{}\"", "a".repeat(253)), "-dev"), @r"the stack's name must be 1 to 256 characters of a-z A-Z 0-9 _ . : / = + @ -, and this one has 257 with -dev, which --env adds");
}

#[test]
fn a_table() {
    assert_snapshot!(mistake("[tables.ab]"), @r"
    a table's name must be 3 to 255 characters of a-z A-Z 0-9 _ . -, and this one has 2
     --> stack.toml:1:9
      |
    1 | [tables.ab]
      |         ^^
    ");
    assert_snapshot!(mistake("[tables.\"a/b\"]"), @r#"
    a table's name must be 3 to 255 characters of a-z A-Z 0-9 _ . -
     --> stack.toml:1:9
      |
    1 | [tables."a/b"]
      |         ^^^^^ '/' is none of them
    "#);
    assert_snapshot!(mistake("[tables.\"über\"]"), @r#"
    a table's name must be 3 to 255 characters of a-z A-Z 0-9 _ . -
     --> stack.toml:1:9
      |
    1 | [tables."über"]
      |         ^^^^^^ 'ü' is none of them
    "#);
    assert_snapshot!(title(&format!("[tables.{}]", "a".repeat(252)), "-dev"), @r"a table's name must be 3 to 255 characters of a-z A-Z 0-9 _ . -, and this one has 256 with -dev, which --env adds");
}

#[test]
fn a_function() {
    assert_snapshot!(mistake("[functions.\"a.b\"]"), @r#"
    a function's name must be 1 to 64 characters of a-z A-Z 0-9 _ -
     --> stack.toml:1:12
      |
    1 | [functions."a.b"]
      |            ^^^^^ '.' is none of them
    "#);
    assert_snapshot!(title(&format!("[functions.{}]", "a".repeat(65)), ""), @r"a function's name must be 1 to 64 characters of a-z A-Z 0-9 _ -, and this one has 65");
    assert_snapshot!(title(&format!("[functions.{}]", "a".repeat(61)), "-dev"), @r"a function's name must be 1 to 64 characters of a-z A-Z 0-9 _ -, and this one has 65 with -dev, which --env adds");
}

#[test]
fn a_role() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         role = \"a/b\""
    ), @r#"
    a role's name must be 1 to 64 characters of a-z A-Z 0-9 _ + = , . @ -
     --> stack.toml:2:8
      |
    2 | role = "a/b"
      |        ^^^^^ '/' is none of them
    "#);
    assert_snapshot!(title(&format!("[functions.f]\nrole = \"{}\"", "a".repeat(61)), "-dev"), @r"a role's name must be 1 to 64 characters of a-z A-Z 0-9 _ + = , . @ -, and this one has 65 with -dev, which --env adds");
}

#[test]
fn the_api_and_its_stage() {
    assert_snapshot!(mistake(
        "[api]\n\
         name = \"Käse\""
    ), @r#"
    the API's name must be 1 to 255 characters of printable ASCII
     --> stack.toml:2:8
      |
    2 | name = "Käse"
      |        ^^^^^^ 'ä' is none of them
    "#);
    assert_snapshot!(title(&format!("[api]\nname = \"{}\"", "a".repeat(252)), "-dev"), @r"the API's name must be 1 to 255 characters of printable ASCII, and this one has 256 with -dev, which --env adds");
    assert_snapshot!(mistake(
        "[api]\n\
         stage = \"v1.0\""
    ), @r#"
    the stage's name must be 1 to 128 characters of a-z A-Z 0-9 _ -
     --> stack.toml:2:9
      |
    2 | stage = "v1.0"
      |         ^^^^^^ '.' is none of them
    "#);
    assert_snapshot!(title(&format!("[api]\nstage = \"{}\"", "a".repeat(129)), ""), @r"the stage's name must be 1 to 128 characters of a-z A-Z 0-9 _ -, and this one has 129");
}

#[test]
fn a_cargo_package() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         package = \"../function\""
    ), @r#"
    a Cargo package's name must be 1 to 64 characters of a-z A-Z 0-9 _ -
     --> stack.toml:2:11
      |
    2 | package = "../function"
      |           ^^^^^^^^^^^^^ '.' is none of them
    "#);
}

#[test]
fn roles_that_iam_takes_for_one() {
    assert_snapshot!(mistake(
        "[functions.a]\n\
         role = \"Runner\"\n\
         [functions.b]\n\
         role = \"runner\"\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"a\""
    ), @r#"
    the roles Runner and runner differ in their case only, and IAM takes them for one
     --> stack.toml:4:8
      |
    2 | role = "Runner"
      |        -------- the other role
    3 | [functions.b]
    4 | role = "runner"
      |        ^^^^^^^^
    "#);
    assert_snapshot!(mistake(
        "[functions.a]\n\
         role = \"runner\"\n\
         [functions.b]\n\
         role = \"runner-role\"\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"a\""
    ), @r#"
    the roles runner and runner-role give their policies the same name
     --> stack.toml:4:8
      |
    2 | role = "runner"
      |        -------- the other role
    3 | [functions.b]
    4 | role = "runner-role"
      |        ^^^^^^^^^^^^^
    "#);
}
