use super::{item_table, read as read_mix};
use crate::error::ErrorKind;
use crate::lab::{BuiltInMix, DEFAULT_SHARES};
use crate::manifest::{Key, KeyType, Table};
use loadgen::RequestMix;
use serde_json::{Value, json};
use std::path::Path;

/// The name and path, and the body, of all requests and their undo requests, with the placeholders in them.
fn bodies(mix: &RequestMix) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for kind in mix.kinds() {
        let undo = kind.undo().map(|undo| (format!("undo {}", kind.name()), undo));
        for (name, template) in [(kind.name().to_owned(), kind.template())].into_iter().chain(undo) {
            all.push((format!("{name} {}", template.path()), template.body()));
        }
    }
    all
}

/// The same, where the order of keys says nothing.
fn parsed(all: &[(String, String)]) -> Vec<(&str, Value)> {
    all.iter().map(|(name, body)| (name.as_str(), serde_json::from_str(body).unwrap())).collect()
}

fn texts(all: &[(String, String)]) -> Vec<(&str, &str)> {
    all.iter().map(|(name, body)| (name.as_str(), body.as_str())).collect()
}

#[test]
fn the_built_in_mix_speaks_the_labs_language() {
    let shares = BuiltInMix::parse(DEFAULT_SHARES).unwrap().unwrap();
    let table = Table::default();
    let mix = shares.mix("f", "/DynamoDBManager", Some(&item_table("items".to_owned(), &table))).unwrap();
    let about = |operation: &str, payload: Value| json!({ "operation": operation, "tableName": "items", "payload": payload });
    let item = json!({
        "id": "{{id}}",
        "writtenBy": "deployer load",
        "note": "An item of a load test. It may be deleted.",
    });
    assert_eq!(
        parsed(&bodies(&mix)),
        [
            ("create /DynamoDBManager", about("create", json!({ "Item": item }))),
            ("undo create /DynamoDBManager", about("delete", json!({ "Key": { "id": "{{id}}" } }))),
            ("read /DynamoDBManager", about("read", json!({ "Key": { "id": "{{created}}" } }))),
            ("list /DynamoDBManager", about("list", json!({ "Limit": 10 }))),
            ("ping /DynamoDBManager", json!({ "operation": "ping" })),
        ]
    );
    assert!(mix.kinds()[0].creates_item() && mix.without_undo().next().is_none());
}

#[test]
fn keys_are_the_tables() {
    let key = |name: &str, r#type| Key { name: name.to_owned(), r#type };
    let table = Table {
        partition_key: key("number", KeyType::N),
        sort_key: Some(key("note", KeyType::S)),
        ttl: Some("expires".to_owned()),
        ..Table::default()
    };
    let shares = BuiltInMix::parse("create=1").unwrap().unwrap();
    let bodies = bodies(&shares.mix("f", "/", Some(&item_table("t".to_owned(), &table))).unwrap());
    // As text: a number of 22 digits is none that this program can hold.
    for (body, place) in [(&bodies[0].1, "Item"), (&bodies[1].1, "Key")] {
        assert!(body.contains(r#""number":{{id:number}}"#), "{body}");
        let body: Value = serde_json::from_str(&body.replace("{{id:number}}", "1")).unwrap();
        assert_eq!(body["payload"][place]["note"], "{{id}}");
        assert_eq!(body["payload"][place]["expires"].as_u64() > Some(1_700_000_000), place == "Item");
    }

    let binary = Table { partition_key: key("id", KeyType::B), ..Table::default() };
    assert_eq!(
        shares.mix("f", "/", Some(&item_table("t".to_owned(), &binary))).unwrap_err().kind(),
        ErrorKind::Usage
    );
    assert!(shares.mix("f", "/", None).is_err());
    assert!(BuiltInMix::parse("ping=1").unwrap().unwrap().mix("f", "/", None).is_ok());
}

#[test]
fn shares_are_checked() {
    assert!(BuiltInMix::parse("mix.toml").is_none());
    assert!(BuiltInMix::parse("create=20, read=50").unwrap().is_ok());
    for wrong in ["fly=1", "create=1001", "create=-1", "create=", "create=0", "create=1,create=2"] {
        let error = BuiltInMix::parse(wrong).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{wrong}");
    }
}

fn handler_part(mix: &RequestMix, handler: &str) -> f64 {
    mix.part_where(|kind| kind.handler() == handler)
}

fn read(name: &str, text: &str) -> Result<RequestMix, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let function_of = |method: &str, path: &str| match (method, path) {
        ("POST" | "PUT" | "DELETE", "/items") => Ok("many".to_owned()),
        ("POST" | "PUT" | "DELETE", "/items/{{id}}") => Ok("one".to_owned()),
        _ => Err(format!("there is no route {method} {path}")),
    };
    read_mix(&file, None, function_of).map_err(|e| e.to_string().replace(&file.display().to_string(), "FILE"))
}

#[test]
fn a_file_may_say_anything_that_a_route_takes() {
    let mix = read(
        "mix.toml",
        r#"
        [[requests]]
        name = "put"
        share = 3
        method = "PUT"
        path = "/items/{{id}}"
        body = '{"n": {{id:number}}, "like": "{{ created }}"}'
        headers = { x-api-key = "k" }
        undo = { method = "DELETE" }

        [[requests]]
        name = "other"
        share = 1
        path = "/items"
        "#,
    )
    .unwrap();
    assert_eq!(
        texts(&bodies(&mix)),
        [
            ("put /items/{{id}}", r#"{"n": {{id:number}}, "like": "{{created}}"}"#),
            ("undo put /items/{{id}}", ""),
            ("other /items", ""),
        ]
    );
    let part = |n: usize| mix.part(&mix.kinds()[n]);
    assert!((part(0) - 0.75).abs() < 1e-9 && (part(1) - 0.25).abs() < 1e-9);
    assert_eq!(mix.handlers(), ["one", "many"]);
    assert!((handler_part(&mix, "one") - 0.75).abs() < 1e-9 && handler_part(&mix, "none").abs() < 1e-9);
    let json = r#"{"requests": [{"name": "a", "share": 1, "path": "/items", "body": "{{id}}"}]}"#;
    let mix = read("mix.json", json).unwrap();
    assert_eq!(mix.without_undo().count(), 1);
}

#[test]
fn a_wrong_file_is_refused_with_what_is_wrong() {
    let one = |more: &str| format!("[[requests]]\nname = \"a\"\nshare = 1\npath = \"/items\"\n{more}");
    let cases = [
        (String::new(), "missing field `requests`"),
        ("requests = []".to_owned(), "it has no request"),
        (one("size = 3"), "unknown field `size`"),
        (one("method = \"GET\""), "request a: there is no route GET /items"),
        (
            one("body = \"{{it}}\""),
            "request a: body: {{it}} is not a placeholder; the placeholders are {{id}}, {{id:number}}",
        ),
        (one("body = \"{{id\""), "{{ is not followed by }}"),
        (
            one("headers = { \"a b\" = \"c\" }"),
            "the name of the header that begins with \"a\" contains the invalid character ' '",
        ),
        (
            one("headers = { Host = \"example.com\" }"),
            "request a: the header host is reserved for the load generator",
        ),
        (
            one("headers = { content-length = \"3\" }"),
            "request a: the header content-length is reserved for the load generator",
        ),
        (
            one("headers = { transfer-encoding = \"chunked\" }"),
            "the header transfer-encoding is reserved for the load generator",
        ),
        (one("undo = { path = \"/other\" }"), "request a: undo: there is no route POST /other"),
        (format!("{}\n{}", one(""), one("")), "two requests have the name a"),
        (one("").replace("share = 1", "share = 0"), "request a: its share is 0, but must be from 1 to 1000"),
        (one("").replace("path = \"/items\"", ""), "request a: it needs a path"),
    ];
    for (text, expected) in cases {
        let error = read("mix.toml", &text).unwrap_err();
        assert!(error.starts_with("the mix FILE:") && error.contains(expected), "{text}: {error}");
    }
    assert!(read_mix(Path::new("/nowhere"), None, |_, _| Ok(String::new())).is_err());
}

#[test]
fn no_error_shows_a_secret_of_the_file() {
    let toml = |line: &str| {
        ("mix.toml", format!("[[requests]]\nname = \"a\"\nshare = 1\npath = \"/items\"\n{line}\n"))
    };
    let json = |more: &str| {
        ("mix.json", format!(r#"{{"requests": [{{"name": "a", "share": 1, "path": "/items", {more}}}]}}"#))
    };
    let cases = [
        toml("headers = { authorization = \"Bearer s3cret\" x }"),
        toml("headers = { authorization = \"Bearer s3cret }"),
        toml("headers = \"Bearer s3cret\""),
        toml("headers = { authorization = [\"Bearer s3cret\"] }"),
        toml("headers = { \"authorization: Bearer s3cret\" = \"\" }"),
        toml("headers = { authorization = \"s3cret\\u0000\" }"),
        toml("body = 's3cret"),
        toml("undo = \"s3cret\""),
        toml("share = \"s3cret\""),
        json(r#""headers": "Bearer s3cret""#),
        json(r#""headers": {"authorization": "Bearer s3cret" x}"#),
        json(r#""headers": {"a": ["s3cret, expected nothing"]}"#),
        json(r#""body": {"token": "s3cret"}"#),
        json(r#""method": "GET s3cret""#),
    ];
    for (name, text) in cases {
        let error = read(name, &text).unwrap_err();
        assert!(!error.contains("s3cret"), "{text}: {error}");
        assert!(error.starts_with("the mix FILE: "), "{text}: {error}");
    }
    let (name, text) = toml("headers = \"Bearer s3cret\"");
    assert_eq!(
        read(name, &text).unwrap_err(),
        "the mix FILE: invalid type: string, expected a map at line 5 column 11"
    );
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_mix() {
    let json = "\u{feff}{\"requests\": [{\"name\": \"a\", \"share\": 1, \"path\": \"/items\"}]}";
    assert_eq!(read("mix.json", json).unwrap().kinds().len(), 1);
}

#[test]
fn a_fingerprint_is_of_requests_and_shares() {
    let shares = |text: &str| BuiltInMix::parse(text).unwrap().unwrap();
    let print = |text: &str, table: &str| {
        let declared = Table::default();
        let table = item_table(table.to_owned(), &declared);
        shares(text).mix("f", "/x", Some(&table)).unwrap().fingerprint()
    };
    assert_eq!(print("create=1,read=2", "a"), print("read=2,create=1", "a-copy"));
    assert_ne!(print("create=1,read=2", "a"), print("create=1,read=3", "a"));
    let file = |body: &str| {
        let text = format!("[[requests]]\nname = \"a\"\nshare = 1\npath = \"/items\"\nbody = \"{body}\"");
        read("mix.toml", &text).unwrap().fingerprint()
    };
    assert_eq!(file("x"), file("x"));
    assert_ne!(file("x"), file("y"));
}
