//! The rules, each with its whole message; the defaults; and that no text whatever makes the reader panic.

use super::*;

fn parse(text: &str) -> Result<Manifest> {
    Manifest::parse(text, Path::new("stack.toml"), "")
}

#[test]
fn an_empty_manifest_is_the_lab() {
    let lab = parse("").unwrap();
    assert_eq!(lab.name, "lambda-apigateway");
    assert_eq!(lab.tables.keys().collect::<Vec<_>>(), ["lambda-apigateway"]);
    assert_eq!(
        lab.functions.keys().collect::<Vec<_>>(),
        ["LambdaFunctionOverHttps"]
    );
    let [route] = &lab.api.routes[..] else {
        panic!("one route: {:?}", lab.api.routes)
    };
    assert_eq!(
        (route.method.as_str(), route.path.as_str()),
        ("POST", "/DynamoDBManager")
    );
}

#[test]
fn the_manifest_of_this_project_is_the_lab_too() {
    let ours = parse(include_str!("../../../stack.toml")).unwrap();
    assert_eq!(format!("{ours:?}"), format!("{:?}", parse("").unwrap()));
}
