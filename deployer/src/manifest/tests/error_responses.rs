//! Which functions are the lab's, and the statuses that errors answer with.

use super::{mistake, parse, title};
use crate::manifest::{ErrorResponses, Manifest};
use insta::assert_snapshot;

#[test]
fn the_labs_function_is_known_by_its_package_or_by_its_word() {
    let zip = "zip = \"f.zip\"\nruntime = \"nodejs24.x\"\nhandler = \"index.handler\"";
    let cases = [
        ("", true),
        ("package = \"function\"", true),
        ("package = \"function\"\nbinary = \"other\"", true),
        ("package = \"orders\"", false),
        (zip, false),
        ("lab = false", false),
        ("package = \"orders\"\nlab = true", true),
        (&format!("{zip}\nlab = true"), true),
    ];
    for (declared, expected) in cases {
        let manifest = parse(&format!("[functions.f]\n{declared}")).unwrap();
        assert_eq!(manifest.functions["f"].lab, expected, "{declared}");
        let responses = &manifest.api.routes[0].error_responses;
        assert_eq!(*responses, ErrorResponses::default_of(expected), "{declared}");
    }
    assert_snapshot!(mistake("[functions.f]\nlab = \"yes\""), @r#"
    functions.f.lab must be true or false, without quotes
     --> stack.toml:2:7
      |
    2 | lab = "yes"
      |       ^^^^^ this is text
    "#);
}

/// Statuses and patterns of the only route.
fn responses(manifest: &Manifest, route: usize) -> Vec<(&str, &str)> {
    let responses = manifest.api.routes[route].error_responses.iter();
    responses.map(|(status, response)| (status.as_str(), response.pattern.as_str())).collect()
}

#[test]
fn errors_of_another_function_are_one_status_unless_declared() {
    const FUNCTION: &str = "[functions.f]\npackage = \"orders\"\n";
    let of = |text: &str| parse(&format!("{FUNCTION}{text}")).unwrap();
    assert_eq!(responses(&of(""), 0), [("500", r"(\n|.)+")]);
    assert_eq!(responses(&of("[api.error-responses]\n404 = 'Not found: .*'"), 0), [("404", "Not found: .*")]);
    assert_eq!(responses(&of("[api.error-responses]"), 0), []);
    let several = of(r#"
        [api.error-responses]
        "404" = 'Not found: .*'
        [[api.routes]]
        method = "GET"
        path = "/a"
        function = "f"
        [[api.routes]]
        method = "GET"
        path = "/b"
        function = "f"
        error-responses = { "599" = 'Late.*' }
        [[api.routes]]
        method = "GET"
        path = "/c"
        function = "f"
        error-responses = {}
    "#);
    assert_eq!(responses(&several, 0), [("404", "Not found: .*")]);
    assert_eq!(responses(&several, 1), [("599", "Late.*")]);
    assert_eq!(responses(&several, 2), []);
}

#[test]
fn statuses_and_patterns_are_what_api_gateway_takes() {
    assert_snapshot!(mistake(
        "[api.error-responses]\n\
         600 = 'a'\n\
         200 = 'b'\n\
         404 = ''\n\
         409 = 'c'\n\
         410 = 'c'"
    ), @r"
    stack.toml has 4 mistakes

    a status of error-responses must be three digits, 100 to 599
     --> stack.toml:2:1
      |
    2 | 600 = 'a'
      | ^^^

    the status 200 has no pattern: it answers successes, and errors that no pattern matches
     --> stack.toml:3:1
      |
    3 | 200 = 'b'
      | ^^^

    api.error-responses.404 must not be empty
     --> stack.toml:4:7
      |
    4 | 404 = ''
      |       ^^

    api.error-responses.410 must not be the pattern of 409 too: a message has one status
     --> stack.toml:6:7
      |
    5 | 409 = 'c'
      |       --- the same pattern
    6 | 410 = 'c'
      |       ^^^
    ");
    for (pattern, expected) in [
        ("'default'", "must be another pattern than default, like '(default)'"),
        ("'.*'", "must not match an empty message, which successes have; every error is (\\n|.)+"),
        (
            "\"(\\n|.)+\"",
            "must have no line end or other control character; in single quotes, '\\n' is one to the pattern",
        ),
        ("'Not found: (.*'", "is no regular expression: a ( is not closed"),
        ("404", "must be a pattern, like 'Not found: .*'"),
    ] {
        let message = title(&format!("[api.error-responses]\n404 = {pattern}"), "");
        assert_eq!(message, format!("api.error-responses.404 {expected}"));
    }
    let of_length = |length: usize| format!("[api.error-responses]\n404 = '{}'", "é".repeat(length));
    assert!(parse(&of_length(1024)).is_ok());
    assert_eq!(title(&of_length(1025), ""), "api.error-responses.404 must be at most 1024 characters");
    for status in ["99", "099", "0404", "4O4", "+40", "600", "''"] {
        let message = title(&format!("[api.error-responses]\n{status} = 'a'").replace("+40", "'+40'"), "");
        assert_eq!(message, "a status of error-responses must be three digits, 100 to 599", "{status}");
    }
    for status in [100, 201, 599] {
        assert!(parse(&format!("[api.error-responses]\n{status} = 'a'")).is_ok(), "{status}");
    }
}

#[test]
fn error_responses_go_with_one_integration_only() {
    assert_snapshot!(mistake(
        "[functions.f]\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"f\"\n\
         integration = \"aws-proxy\"\n\
         error-responses = {}"
    ), @r#"
    api.routes.error-responses goes with integration = "aws" only: otherwise the function says the status
     --> stack.toml:7:19
      |
    6 | integration = "aws-proxy"
      |               ----------- the integration
    7 | error-responses = {}
      |                   ^^
    "#);
    assert_snapshot!(mistake(
        "[functions.f]\n\
         [api]\n\
         error-responses = { \"404\" = 'a' }\n\
         [[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"f\"\n\
         integration = \"aws-proxy\""
    ), @r#"
    api.error-responses goes with integration = "aws" only, and no route of the API has it
     --> stack.toml:3:19
      |
    3 | error-responses = { "404" = 'a' }
      |                   ^^^^^^^^^^^^^^^
    "#);
}
