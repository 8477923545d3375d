use super::*;
use crate::error::ErrorKind;
use crate::load::ids::{Created, RunId};
use crate::load::target::Target;
use crate::manifest::{Key, KeyType, Table};
use http_body_util::BodyExt as _;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;

/// The body of what a request comes to, once items 7 and none else was made.
async fn bodies(mix: &Mix) -> Vec<(String, String)> {
    let target = Target::new("http://127.0.0.1:1/base", None).unwrap();
    let created = Created::new();
    created.add(7);
    let mut all = Vec::new();
    for request in &mix.requests {
        for (name, template) in [(request.name.clone(), Some(&request.template))]
            .into_iter()
            .chain([(format!("undo {}", request.name), request.undo.as_ref())])
        {
            let Some(template) = template else { continue };
            let sent = template.prepare(&target).unwrap().request(&RunId::of(1), 9, &created);
            let path = sent.uri().to_string();
            let body = sent.into_body().collect().await.unwrap().to_bytes();
            all.push((format!("{name} {path}"), String::from_utf8(body.to_vec()).unwrap()));
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

#[tokio::test]
async fn the_built_in_mix_speaks_the_labs_language() {
    let mix = BuiltIn::default().mix("f", "/DynamoDBManager", Some(("items", &Table::default()))).unwrap();
    let about = |operation: &str, payload: Value| json!({ "operation": operation, "tableName": "items", "payload": payload });
    let item = json!({
        "id": "load-00000001-9",
        "writtenBy": "deployer load",
        "note": "An item of a load test. It may be deleted.",
    });
    assert_eq!(
        parsed(&bodies(&mix).await),
        [
            ("create /base/DynamoDBManager", about("create", json!({ "Item": item }))),
            (
                "undo create /base/DynamoDBManager",
                about("delete", json!({ "Key": { "id": "load-00000001-9" } }))
            ),
            ("read /base/DynamoDBManager", about("read", json!({ "Key": { "id": "load-00000001-7" } }))),
            ("list /base/DynamoDBManager", about("list", json!({ "Limit": 10 }))),
            ("ping /base/DynamoDBManager", json!({ "operation": "ping" })),
        ]
    );
    assert!(mix.requests[0].makes_an_item() && mix.without_undo().next().is_none());
}

#[tokio::test]
async fn keys_are_the_tables() {
    let key = |name: &str, r#type| Key { name: name.to_owned(), r#type };
    let table = Table {
        partition_key: key("number", KeyType::N),
        sort_key: Some(key("note", KeyType::S)),
        ttl: Some("expires".to_owned()),
        ..Table::default()
    };
    let shares = BuiltIn::parse("create=1").unwrap().unwrap();
    let bodies = bodies(&shares.mix("f", "/", Some(("t", &table))).unwrap()).await;
    // As text: a number of 22 digits is none that this program can hold.
    for (body, place) in [(&bodies[0].1, "Item"), (&bodies[1].1, "Key")] {
        assert!(body.contains(r#""number":1000000001000000000009"#), "{body}");
        let body: Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["payload"][place]["note"], "load-00000001-9");
        assert_eq!(body["payload"][place]["expires"].as_u64() > Some(1_700_000_000), place == "Item");
    }

    let binary = Table { partition_key: key("id", KeyType::B), ..Table::default() };
    assert_eq!(shares.mix("f", "/", Some(("t", &binary))).unwrap_err().kind(), ErrorKind::Usage);
    assert!(shares.mix("f", "/", None).is_err());
    assert!(BuiltIn::parse("ping=1").unwrap().unwrap().mix("f", "/", None).is_ok());
}

#[test]
fn shares_are_checked() {
    assert!(BuiltIn::parse("mix.toml").is_none());
    assert!(BuiltIn::parse("create=20, read=50").unwrap().is_ok());
    for wrong in ["fly=1", "create=1001", "create=-1", "create=", "create=0", "create=1,create=2"] {
        let error = BuiltIn::parse(wrong).unwrap().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage, "{wrong}");
    }
}

fn read(name: &str, text: &str) -> Result<Mix, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    std::fs::write(&file, text).unwrap();
    let function_of = |method: &str, path: &str| match (method, path) {
        ("POST" | "PUT" | "DELETE", "/items") => Ok("many".to_owned()),
        ("POST" | "PUT" | "DELETE", "/items/{{id}}") => Ok("one".to_owned()),
        _ => Err(format!("there is no route {method} {path}")),
    };
    Mix::read(&file, None, function_of)
        .map_err(|e| e.to_string().replace(&file.display().to_string(), "FILE"))
}

#[tokio::test]
async fn a_file_may_say_anything_that_a_route_takes() {
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
        texts(&bodies(&mix).await),
        [
            (
                "put /base/items/load-00000001-9",
                r#"{"n": 1000000001000000000009, "like": "load-00000001-7"}"#
            ),
            ("undo put /base/items/load-00000001-9", ""),
            ("other /base/items", ""),
        ]
    );
    let part = |n: usize| mix.part(&mix.requests[n]);
    assert!((part(0) - 0.75).abs() < 1e-9 && (part(1) - 0.25).abs() < 1e-9);
    assert_eq!(mix.functions(), ["one", "many"]);
    assert!((mix.part_of("one") - 0.75).abs() < 1e-9 && mix.part_of("none").abs() < 1e-9);
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
            "request a: body: {{it}} means nothing; what does is {{id}}, {{id:number}}",
        ),
        (one("body = \"{{id\""), "{{ has no }} after it"),
        (
            one("headers = { \"a b\" = \"c\" }"),
            "the name of the header that begins with \"a\" must not have ' '",
        ),
        (one("headers = { Host = \"example.com\" }"), "request a: the header host is set by load itself"),
        (
            one("headers = { content-length = \"3\" }"),
            "request a: the header content-length is set by load itself",
        ),
        (
            one("headers = { transfer-encoding = \"chunked\" }"),
            "the header transfer-encoding is set by load itself",
        ),
        (one("undo = { path = \"/other\" }"), "request a: undo: there is no route POST /other"),
        (format!("{}\n{}", one(""), one("")), "two requests are called a"),
        (one("").replace("share = 1", "share = 0"), "request a: its share of 0 is not within 1 to 1000"),
        (one("").replace("path = \"/items\"", ""), "request a: it needs a path"),
    ];
    for (text, expected) in cases {
        let error = read("mix.toml", &text).unwrap_err();
        assert!(error.starts_with("the mix FILE:") && error.contains(expected), "{text}: {error}");
    }
    assert!(Mix::read(Path::new("/nowhere"), None, |_, _| Ok(String::new())).is_err());
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
    assert_eq!(read("mix.json", json).unwrap().requests.len(), 1);
}

#[test]
fn a_fingerprint_is_of_requests_and_shares() {
    let shares = |text: &str| BuiltIn::parse(text).unwrap().unwrap();
    let print = |text: &str, table: &str| {
        shares(text).mix("f", "/x", Some((table, &Table::default()))).unwrap().fingerprint()
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

#[test]
fn shares_are_spread_evenly() {
    assert_eq!(interleaved(&[1, 3]), [1, 1, 0, 1]);
    assert_eq!(interleaved(&[20, 50, 10, 20]), [1, 0, 1, 3, 1, 0, 1, 2, 1, 3]);
    assert_eq!(interleaved(&[500, 500]), [0, 1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Every round has exactly the shares, and no stretch from its beginning is off by a whole request of a kind.
    #[test]
    fn every_stretch_has_the_shares(shares in proptest::collection::vec(1_u16..1001, 1..51)) {
        let pattern = interleaved(&shares);
        let all: f64 = shares.iter().map(|share| f64::from(*share)).sum();
        let mut seen = vec![0.0; shares.len()];
        for (n, request) in pattern.iter().enumerate() {
            seen[usize::from(*request)] += 1.0;
            let so_far = f64::from(u32::try_from(n).unwrap() + 1);
            for (seen, share) in seen.iter().zip(&shares) {
                let wanted: f64 = so_far * f64::from(*share) / all;
                prop_assert!((seen - wanted).abs() < 1.0, "{pattern:?}");
            }
        }
        let divisor = shares.iter().copied().fold(0, gcd);
        prop_assert_eq!(pattern.len(), usize::try_from(shares.iter().map(|share| u32::from(*share)).sum::<u32>() / u32::from(divisor)).unwrap());
    }
}
