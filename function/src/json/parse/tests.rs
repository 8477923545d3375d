use super::*;

fn problem(text: &[u8]) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn parses_every_kind_of_value() {
    let json = parse(br#" { "a" : [ null , true , -1.50e+3 , "x\u0041\ud83d\ude00\/" ] } "#).unwrap();
    let expected = Json::Array(Box::new([
        Json::Null,
        Json::Bool(true),
        Json::Number("-1.50e+3"),
        Json::String("xA😀/".into()),
    ]));
    assert_eq!(json.get("a"), Some(&expected));
}

#[test]
fn borrows_strings_without_escapes() {
    assert!(matches!(parse("\"é\"".as_bytes()), Ok(Json::String(Cow::Borrowed("é")))));
    assert!(matches!(parse(br#""\n""#), Ok(Json::String(Cow::Owned(_)))));
}

#[test]
fn the_last_of_duplicate_keys_wins_at_the_position_of_the_first() {
    let few = parse(br#"{"a":1,"b":2,"a":3}"#).unwrap();
    assert_eq!(serde_json::to_string(&few).unwrap(), r#"{"a":3,"b":2}"#);

    let many: Vec<String> = (0..100).map(|n| format!(r#""{}":{n}"#, n % 50)).collect();
    let many = format!("{{{}}}", many.join(","));
    let many = parse(many.as_bytes()).unwrap();
    let members = many.members().unwrap();
    assert_eq!(members.len(), 50);
    assert_eq!(members[7], ("7".into(), Json::Number("57")));
}

#[test]
fn refuses_invalid_json_and_names_the_position() {
    for (text, expected) in [
        ("", "expected a value, found the end of the text at line 1 column 1"),
        ("{'a':1}", "expected a key in double quotes at line 1 column 2"),
        (r#"{"a":1,}"#, "expected a key in double quotes at line 1 column 8"),
        ("[1,]", "expected a value at line 1 column 4"),
        ("[1 2]", "expected `,` or `]` at line 1 column 4"),
        (r#"{"a" 1}"#, "expected `:` at line 1 column 6"),
        (r#"{"a":1 "b"}"#, "expected `,` or `}` at line 1 column 8"),
        ("NaN", "expected a value at line 1 column 1"),
        ("-Infinity", "expected a digit at line 1 column 2"),
        ("nul", "expected a value at line 1 column 1"),
        ("01", "unexpected text after the value at line 1 column 2"),
        ("1.", "expected a digit at line 1 column 3"),
        ("1e+", "expected a digit at line 1 column 4"),
        ("{}\n {}", "unexpected text after the value at line 2 column 2"),
        ("\"é\n\"", "unescaped control character in a string at line 1 column 3"),
        ("\"a", "unterminated string at line 1 column 3"),
        (r#""\x""#, "invalid escape sequence at line 1 column 3"),
        (r#""\u12g4""#, "expected four hexadecimal digits at line 1 column 4"),
        (r#""\u+123""#, "expected four hexadecimal digits at line 1 column 4"),
        ("\u{feff}1", "expected a value at line 1 column 1"),
    ] {
        assert_eq!(problem(text.as_bytes()), expected, "{text}");
    }
    assert_eq!(problem(b"[\"\xff\"]"), "invalid UTF-8 at line 1 column 3");
}

#[test]
fn refuses_an_unpaired_surrogate() {
    for text in [r#""\ud800""#, r#""\udc00""#, r#""\ud800\ud800""#, r#""\ud800\n""#, r#""\ud800x""#] {
        assert_eq!(problem(text.as_bytes()), "unpaired surrogate at line 1 column 3", "{text}");
    }
}

#[test]
fn limits_the_depth() {
    let nested = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    let too_deep = problem(&nested(MAX_DEPTH + 1));
    assert_eq!(too_deep, "arrays and objects are nested too deeply at line 1 column 901");
    assert!(parse(&vec![b'['; 6_000_000]).is_err());
    assert!(parse("{\"a\":".repeat(1_000_000).as_bytes()).is_err());
}

#[test]
fn siblings_do_not_count_as_depth() {
    let siblings = format!("[{}]", vec!["[]"; MAX_DEPTH * 2].join(","));
    assert!(parse(siblings.as_bytes()).is_ok());
}

#[test]
fn distinguishes_numbers_from_other_texts() {
    for text in ["0", "-0", "5.0", "1E+2", "1e-130", "99999999999999999999999999999999999999"] {
        assert!(is_number(text), "{text}");
    }
    for text in ["", "-", "+1", ".5", "1.", "01", "1 ", "NaN", "Infinity", "0x1"] {
        assert!(!is_number(text), "{text}");
    }
}
