//! Environment variables, whose values no message shows.

use super::{mistake, title};
use insta::assert_snapshot;

#[test]
fn names() {
    assert_snapshot!(mistake(
        "[functions.f.environment]\n\
         AWS_REGION = \"hunter2\""
    ), @r"
    Lambda sets the environment variable AWS_REGION itself, and refuses another value
     --> stack.toml:2:1
      |
    2 | AWS_REGION = *********
      | ^^^^^^^^^^
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         environment = { A = \"hunter2\", \"1A\" = \"hunter2\", \"A-B\" = \"hunter2\" }"
    ), @r#"
    stack.toml has 3 mistakes

    an environment variable's name must be at least 2 characters of a-z A-Z 0-9 _ and begin with a letter
     --> stack.toml:2:17
      |
    2 | environment = { A = *********, "1A" = *********, "A-B" = ********* }
      |                 ^

    an environment variable's name must be at least 2 characters of a-z A-Z 0-9 _ and begin with a letter
     --> stack.toml:2:32
      |
    2 | environment = { A = *********, "1A" = *********, "A-B" = ********* }
      |                                ^^^^

    an environment variable's name must be at least 2 characters of a-z A-Z 0-9 _ and begin with a letter
     --> stack.toml:2:50
      |
    2 | environment = { A = *********, "1A" = *********, "A-B" = ********* }
      |                                                  ^^^^^
    "#);
}

#[test]
fn values() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         environment = { PORT = 8080 }"
    ), @r"
    functions.f.environment.PORT must be text
     --> stack.toml:2:24
      |
    2 | environment = { PORT = **** }
      |                        ^^^^ this is a whole number
      |
      = help: put it in quotes
    ");
    assert_snapshot!(mistake(
        "[functions.f]\n\
         environment = \"TOKEN=hunter2\""
    ), @r#"
    functions.f.environment must be a table like { LOG_LEVEL = "info" }
     --> stack.toml:2:15
      |
    2 | environment = ***************
      |               ^^^^^^^^^^^^^^^ this is text
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         environment = { TOKEN = [\"hunter2\"] }"
    ), @r"
    functions.f.environment.TOKEN must be text
     --> stack.toml:2:25
      |
    2 | environment = { TOKEN = [*********] }
      |                         ^^^^^^^^^^^ this is a list
    ");
    assert_snapshot!(title(&format!("[functions.f]\nenvironment = {{ TOKEN = \"{}\" }}", "x".repeat(4096)), ""), @r"functions.f.environment must be at most 4096 bytes in all, as JSON, and has 4108");
}

#[test]
fn a_mistake_beside_a_value() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         enviroment = { TOKEN = \"hunter2\" }"
    ), @r"
    functions.f has no key enviroment
     --> stack.toml:2:1
      |
    2 | enviroment = { TOKEN = ********* }
      | ^^^^^^^^^^ did you mean environment?
      |
      = help: its keys are architecture, binary, description, environment, handler, lab, log-retention-days, memory, package, permissions-boundary, policy, reserved-concurrency, role, runtime, tables, timeout, tracing, zip
    ");
    assert_snapshot!(mistake(
        "[functions]\n\
         f = { environment = { TOKEN = \"hunter2\" }, memory = 1 }"
    ), @r"
    functions.f.memory must be a whole number of MB from 128 to 10240
     --> stack.toml:2:53
      |
    2 | f = { environment = { TOKEN = ********* }, memory = 1 }
      |                                                     ^
    ");
    assert_snapshot!(mistake(
        "[functions.f.environment]\n\
         TOKEN = \"\"\"hunter2\n\
         hunter2\"\"\"\n\
         B = 1"
    ), @r"
    stack.toml has 2 mistakes

    an environment variable's name must be at least 2 characters of a-z A-Z 0-9 _ and begin with a letter
     --> stack.toml:4:1
      |
    4 | B = *
      | ^

    functions.f.environment.B must be text
     --> stack.toml:4:5
      |
    4 | B = *
      |     ^ this is a whole number
      |
      = help: put it in quotes
    ");
    assert_snapshot!(mistake(
        "[env]\n\
         TOKEN = \"hunter2"
    ), @r#"
    this is not TOML: invalid basic string, expected `"`
    --> stack.toml:2:17
     = help: the line is not shown here, because it may hold the value of an environment variable
    "#);
}

#[test]
fn a_nul_that_no_environment_can_hold() {
    let said = title("[functions.f]\nenvironment = { TOKEN = \"hush\\u0000\" }", "");
    assert_eq!(said, "functions.f.environment.TOKEN must not hold a NUL character, which no environment can");
}
