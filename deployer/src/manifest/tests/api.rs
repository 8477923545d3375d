//! The API: its stage, its routes and their paths.

use super::{many, mistake, route, title};
use insta::assert_snapshot;

#[test]
fn the_stage() {
    assert_snapshot!(mistake(
        "[api]\n\
         throttle = { rate = 0, burst = 0 }"
    ), @r"
    stack.toml has 2 mistakes

    api.throttle.rate must be a number above 0
     --> stack.toml:2:21
      |
    2 | throttle = { rate = 0, burst = 0 }
      |                     ^

    api.throttle.burst must be a whole number of requests, at least 1
     --> stack.toml:2:32
      |
    2 | throttle = { rate = 0, burst = 0 }
      |                                ^
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         throttle = { rate = nan, burst = 1.5 }"
    ), @r"
    stack.toml has 2 mistakes

    api.throttle.rate must be a number above 0
     --> stack.toml:2:21
      |
    2 | throttle = { rate = nan, burst = 1.5 }
      |                     ^^^

    api.throttle.burst must be a whole number of requests, at least 1
     --> stack.toml:2:34
      |
    2 | throttle = { rate = nan, burst = 1.5 }
      |                                  ^^^ this is a number
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         variables = { \"a-b\" = \"1\" }"
    ), @r#"
    a stage variable's name must be 1 to 64 characters of a-z A-Z 0-9 _
     --> stack.toml:2:15
      |
    2 | variables = { "a-b" = "1" }
      |               ^^^^^
    "#);
    assert_snapshot!(mistake(
        "[api]\n\
         variables = { a = \"\" }"
    ), @r#"
    api.variables.a must be text of 1 to 512 characters of a-z A-Z 0-9 - . _ ~ : / ? # & = ,
     --> stack.toml:2:19
      |
    2 | variables = { a = "" }
      |                   ^^
    "#);
    assert_snapshot!(title(&format!("[api]\nvariables = {}", many(101, "v")), ""), @r"api.variables must be at most 100 stage variables, and has 101");
}

#[test]
fn a_path() {
    assert_snapshot!(mistake(&route("GET", "items", "")), @r#"
    api.routes.path must begin with /
     --> stack.toml:3:8
      |
    3 | path = "items"
      |        ^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/items/", "")), @r#"
    api.routes.path must have no / at its end
     --> stack.toml:3:8
      |
    3 | path = "/items/"
      |        ^^^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/a//b", "")), @r#"
    api.routes.path must have no / after another
     --> stack.toml:3:8
      |
    3 | path = "/a//b"
      |        ^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/a b", "")), @r#"
    api.routes.path must have a-z A-Z 0-9 . _ - : only between its slashes, and not ' '
     --> stack.toml:3:8
      |
    3 | path = "/a b"
      |        ^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{id", "")), @r#"
    api.routes.path must close the brace of {id, and have nothing after it
     --> stack.toml:3:8
      |
    3 | path = "/{id"
      |        ^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{id}s", "")), @r#"
    api.routes.path must close the brace of {id}s, and have nothing after it
     --> stack.toml:3:8
      |
    3 | path = "/{id}s"
      |        ^^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/x{id}", "")), @r#"
    api.routes.path must have a-z A-Z 0-9 . _ - : only between its slashes, and not '{', and a parameter takes a whole part, like /{id}/
     --> stack.toml:3:8
      |
    3 | path = "/x{id}"
      |        ^^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{}", "")), @r#"
    api.routes.path must name the parameter {}, like {id}
     --> stack.toml:3:8
      |
    3 | path = "/{}"
      |        ^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{a b}", "")), @r#"
    api.routes.path must have a-z A-Z 0-9 . _ - : only between its slashes, and not ' '
     --> stack.toml:3:8
      |
    3 | path = "/{a b}"
      |        ^^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{proxy+}/b", "")), @r#"
    api.routes.path must end with {proxy+}, because that takes the rest of the path
     --> stack.toml:3:8
      |
    3 | path = "/{proxy+}/b"
      |        ^^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake(&route("GET", "/{id}/{id}", "")), @r#"
    api.routes.path must give each parameter another name than {id}
     --> stack.toml:3:8
      |
    3 | path = "/{id}/{id}"
      |        ^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake(
        "[[api.routes]]\n\
         method = \"GET\"\n\
         path = 5\n\
         function = \"LambdaFunctionOverHttps\""
    ), @r#"
    api.routes.path must be a path like "/items/{id}"
     --> stack.toml:3:8
      |
    3 | path = 5
      |        ^ this is a whole number
      |
      = help: put it in quotes
    "#);
}

#[test]
fn paths_that_clash() {
    assert_snapshot!(mistake(&[route("GET", "/items/{id}", ""), route("GET", "/items/{name}/tags", "")].concat()), @r#"
    {name} and {id} stand in the same place of two paths, where API Gateway takes one name only
     --> stack.toml:8:8
      |
    3 | path = "/items/{id}"
      |        ------------- the other path
    ...
    8 | path = "/items/{name}/tags"
      |        ^^^^^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake(&[route("GET", "/items/{id}", ""), route("GET", "/items/{proxy+}", "")].concat()), @r#"
    {proxy+} and {id} stand in the same place of two paths, where API Gateway takes one name only
     --> stack.toml:8:8
      |
    3 | path = "/items/{id}"
      |        ------------- the other path
    ...
    8 | path = "/items/{proxy+}"
      |        ^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn routes() {
    assert_snapshot!(mistake(&route("post", "/", "")), @r#"
    api.routes.method must be "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" or "ANY"
     --> stack.toml:2:10
      |
    2 | method = "post"
      |          ^^^^^^ did you mean "POST"?
    "#);
    assert_snapshot!(mistake(&route("FETCH", "/", "")), @r#"
    api.routes.method must be "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS" or "ANY"
     --> stack.toml:2:10
      |
    2 | method = "FETCH"
      |          ^^^^^^^
    "#);
    assert_snapshot!(mistake(&[route("GET", "/", ""), route("GET", "/", "")].concat()), @r"
    the route GET / is declared twice
     --> stack.toml:6:1
      |
    1 | [[api.routes]]
      | -------------- first here
    ...
    6 | [[api.routes]]
      | ^^^^^^^^^^^^^^
    ");
    assert_snapshot!(mistake(
        "[[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"lambdaFunction\""
    ), @r#"
    the manifest declares no function lambdaFunction
     --> stack.toml:4:12
      |
    4 | function = "lambdaFunction"
      |            ^^^^^^^^^^^^^^^^ did you mean LambdaFunctionOverHttps?
      |
      = help: it declares LambdaFunctionOverHttps
    "#);
    assert_snapshot!(mistake(
        "[[api.routes]]\n\
         method = \"GET\"\n\
         path = \"/\"\n\
         function = \"f\""
    ), @r#"
    the manifest declares no function f
     --> stack.toml:4:12
      |
    4 | function = "f"
      |            ^^^
      |
      = help: it declares LambdaFunctionOverHttps
    "#);
    assert_snapshot!(mistake(&route("GET", "/", "integration = \"proxy\"")), @r#"
    api.routes.integration must be "aws" or "aws-proxy"
     --> stack.toml:5:15
      |
    5 | integration = "proxy"
      |               ^^^^^^^ did you mean "aws-proxy"?
    "#);
    assert_snapshot!(mistake(&route("GET", "/", "auth = \"apikey\"")), @r#"
    api.routes.auth must be "none", "iam" or "api-key"
     --> stack.toml:5:8
      |
    5 | auth = "apikey"
      |        ^^^^^^^^ did you mean "api-key"?
    "#);
    assert_snapshot!(mistake(&route("GET", "/", "timeout-ms = 49")), @r"
    api.routes.timeout-ms must be a whole number of milliseconds from 50 to 29000
     --> stack.toml:5:14
      |
    5 | timeout-ms = 49
      |              ^^
    ");
    assert_snapshot!(mistake(&route("GET", "/", "timeout-ms = 29001")), @r"
    api.routes.timeout-ms must be a whole number of milliseconds from 50 to 29000
     --> stack.toml:5:14
      |
    5 | timeout-ms = 29001
      |              ^^^^^
    ");
}

#[test]
fn no_route() {
    assert_snapshot!(mistake(
        "[functions.a]\n\
         [functions.b]"
    ), @r"
    the stack has several functions, and no route says which of them the API calls
     --> stack.toml:1:2
      |
    1 | [functions.a]
      |  ^^^^^^^^^
      |
      = help: add [[api.routes]] with method, path and function, once for each
    ");
    assert_snapshot!(mistake(
        "[api]\n\
         routes = []"
    ), @r"
    api.routes must hold a route, because an API without one cannot be deployed
     --> stack.toml:2:10
      |
    2 | routes = []
      |          ^^
      |
      = help: without this key, a stack with one function has the route POST /DynamoDBManager
    ");
}
