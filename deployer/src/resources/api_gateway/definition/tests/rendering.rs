//! The document that `PutRestApi` takes.

use super::*;

#[test]
fn the_lab_is_one_document() {
    let uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/\
               arn:aws:lambda:us-east-1:123456789012:function:LambdaFunctionOverHttps/invocations";
    let mut responses = json!({ "default": { "statusCode": "200" } });
    for (status, pattern, _) in ERROR_RESPONSES {
        responses[pattern] = json!({ "statusCode": status });
    }
    let expected = json!({
        "openapi": "3.0.1",
        "info": { "title": "DynamoDBOperations", "version": "1" },
        "paths": { "/DynamoDBManager": { "post": {
            "responses": {
                "200": { "description": "Done" },
                "400": { "description": "The request is wrong" },
                "404": { "description": "No such table" },
                "409": { "description": "A condition failed, or another write came in between" },
                "413": { "description": "The item is too large" },
                "429": { "description": "Too many requests" },
                "500": { "description": "A mistake of ours" },
                "503": { "description": "DynamoDB cannot be reached" },
            },
            "x-amazon-apigateway-integration": {
                "type": "aws",
                "uri": uri,
                "httpMethod": "POST",
                "passthroughBehavior": "when_no_match",
                "timeoutInMillis": 29000,
                "responses": responses,
            },
        } } },
    });
    assert_eq!(lab().openapi("DynamoDBOperations"), expected);
}

/// The operation at one path.
fn operation(routes: &[Route], path: &str, method: &str) -> Value {
    of(routes).openapi("api")["paths"][path][method].clone()
}

#[test]
fn each_way_to_call_is_rendered_as_api_gateway_wants_it() {
    let iam = operation(&[Route { auth: Auth::Iam, ..route("POST", "/a") }], "/a", "post");
    assert_eq!(iam["x-amazon-apigateway-auth"], json!({ "type": "AWS_IAM" }));
    assert_eq!(iam.get("security"), None);
    let key = of(&[Route { auth: Auth::ApiKey, ..route("POST", "/a") }, route("GET", "/a")]).openapi("api");
    assert_eq!(key["paths"]["/a"]["post"]["security"], json!([{ "api_key": [] }]));
    assert_eq!(key["paths"]["/a"]["get"].get("security"), None);
    assert_eq!(
        key["components"]["securitySchemes"],
        json!({ "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" } })
    );
    let open = of(&[route("POST", "/a")]).openapi("api");
    assert_eq!(open.get("components"), None);
    assert_eq!(open["paths"]["/a"]["post"].get("x-amazon-apigateway-auth"), None);
}

#[test]
fn methods_of_one_path_stand_together() {
    let document = of(&[route("GET", "/a"), route("ANY", "/a"), route("PUT", "/b")]).openapi("api");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&document["paths"]), ["/a", "/b"]);
    assert_eq!(keys(&document["paths"]["/a"]), ["get", "x-amazon-apigateway-any-method"]);
}

#[test]
fn path_parameters_are_declared() {
    let names = |path: &str| -> Vec<String> {
        let operation = operation(&[route("GET", path)], path, "get");
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        parameters
            .map(|parameter| {
                let rest = json!({ "in": "path", "required": true, "schema": { "type": "string" } });
                let name = parameter["name"].as_str().unwrap().to_owned();
                let mut expected = rest;
                expected["name"] = json!(name);
                assert_eq!(*parameter, expected);
                name
            })
            .collect()
    };
    assert_eq!(names("/items/{id}/tags/{tag}"), ["id", "tag"]);
    assert_eq!(names("/{proxy+}"), ["proxy"]);
    assert_eq!(names("/items"), [""; 0]);
}

#[test]
fn a_proxy_integration_maps_nothing() {
    let proxy = Route { integration: IntegrationKind::AwsProxy, ..route("POST", "/a") };
    let operation = operation(&[proxy], "/a", "post");
    assert_eq!(operation["responses"], json!({}));
    assert_eq!(operation["x-amazon-apigateway-integration"]["type"], "aws_proxy");
    assert_eq!(operation["x-amazon-apigateway-integration"].get("responses"), None);
}

/// A status without its method response fails the whole import, and at run time it would be a 500.
#[test]
fn every_status_that_an_integration_answers_with_stands_in_responses() {
    for (what, routes) in route_sets() {
        let document = of(&routes).openapi("api");
        let operations = document["paths"]
            .as_object()
            .unwrap()
            .values()
            .flat_map(|item| item.as_object().unwrap().values());
        for operation in operations {
            let integration = &operation["x-amazon-apigateway-integration"];
            let used = integration["responses"].as_object().into_iter().flatten();
            for (pattern, response) in used {
                let status = response["statusCode"].as_str().unwrap();
                assert!(operation["responses"].get(status).is_some(), "{what}: {status} of {pattern}");
            }
        }
    }
}

#[test]
fn errors_of_another_function_have_the_statuses_that_its_route_declares() {
    let responses = |declared: &str| {
        let text = format!(
            "[functions.f]\nlab = false\n[[api.routes]]\nmethod = \"POST\"\npath = \"/a\"\nfunction = \"f\"\n{declared}"
        );
        let manifest = Manifest::parse(&text, Path::new("stack.toml"), "").unwrap();
        let operation = operation(&manifest.api.routes, "/a", "post");
        (operation["responses"].clone(), operation["x-amazon-apigateway-integration"]["responses"].clone())
    };
    let default = json!({ "statusCode": "200" });
    assert_eq!(
        responses(""),
        (
            json!({ "200": { "description": "Done" }, "500": { "description": "The function failed" } }),
            json!({ "default": default, r"(\n|.)+": { "statusCode": "500" } }),
        )
    );
    assert_eq!(
        responses("error-responses = { \"404\" = 'Not found: .*' }"),
        (
            json!({ "200": { "description": "Done" }, "404": { "description": "An error of the function" } }),
            json!({ "default": default, "Not found: .*": { "statusCode": "404" } }),
        )
    );
    assert_eq!(
        responses("error-responses = {}"),
        (json!({ "200": { "description": "Done" } }), json!({ "default": default }))
    );
}

#[test]
fn an_integration_waits_as_long_as_declared_or_as_api_gateway_allows() {
    let wait = |route: Route| {
        operation(&[route], "/a", "post")["x-amazon-apigateway-integration"]["timeoutInMillis"].clone()
    };
    assert_eq!(wait(route("POST", "/a")), 29_000);
    let declared = Route { timeout_ms: 5000, ..route("POST", "/a") };
    assert_eq!(wait(declared), 5000);
}
