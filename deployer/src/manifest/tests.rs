//! Every rule with its whole message, by subject; here, what is right: defaults, examples, a large stack, names per
//! environment; and what holds for any text whatever.

mod api;
mod error_responses;
mod examples;
mod form;
mod functions;
mod naming;
mod place;
mod proof;
mod schema;
mod tables;
mod variables;

use super::*;
use crate::error::ErrorKind;
use proptest::prelude::*;

fn parse(text: &str) -> Result<Manifest> {
    let read = Manifest::parse(text, Path::new("stack.toml"), "");
    if read.is_ok() {
        schema::assert_accepts(text);
    }
    read
}

/// What is said about a manifest that has something wrong.
fn mistake(text: &str) -> String {
    mistake_of(text, "")
}

/// The same with what `--env` adds to names.
fn mistake_of(text: &str, suffix: &str) -> String {
    let error = Manifest::parse(text, Path::new("stack.toml"), suffix).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
    error.to_string()
}

/// What is wrong, without the quotation: for long lines.
fn title(text: &str, suffix: &str) -> String {
    mistake_of(text, suffix).lines().next().unwrap().to_owned()
}

/// A table of so many keys.
fn many(number: usize, value: &str) -> String {
    let keys: Vec<String> = (0..number).map(|n| format!("k{n} = \"{value}\"")).collect();
    format!("{{ {} }}", keys.join(", "))
}

/// A route of the lab's function.
fn route(method: &str, path: &str, more: &str) -> String {
    format!(
        "[[api.routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nfunction = \"LambdaFunctionOverHttps\"\n{more}\n"
    )
}

fn project() -> &'static str {
    crate::commands::init::MANIFEST
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        let _ = parse(&text);
    }

    /// Most text is no TOML at all: this comes nearer.
    #[test]
    fn no_change_of_a_manifest_makes_it_panic(
        from in 0..project().len(),
        gone in 0..40_usize,
        new in r#"[a-z0-9"'{}\[\]=.,#\n é-]{0,12}"#,
    ) {
        let bytes = project().as_bytes();
        let until = (from + gone).min(bytes.len());
        let text = String::from_utf8_lossy(&[&bytes[..from], new.as_bytes(), &bytes[until..]].concat()).into_owned();
        let _ = parse(&text);
        let _ = parse(&uncommented(&text));
    }

    #[test]
    fn no_mistake_shows_the_value_of_a_variable(
        text in prop::sample::select(&SECRETIVE[..]),
        at in any::<prop::sample::Index>(),
        gone in 0..3_usize,
        new in r#"["'{}\[\]=.,\n a1-]{0,3}"#,
    ) {
        // Wherever the text is broken, and by whatever but a comment: what stands in one is no value.
        let from = at.index(text.len());
        let until = (from + gone).min(text.len());
        let broken = format!("{}{new}{}", &text[..from], &text[until..]);
        if let Err(error) = parse(&broken) {
            let shown = error.to_string();
            for part in ["unter2", "hunte", "nter"] {
                prop_assert!(!shown.contains(part), "{broken}\n\n{shown}");
            }
        }
    }
}

const SECRETIVE: [&str; 4] = [
    "[functions.f]\nmemory = 1\n[functions.f.environment]\nTOKEN = \"hunter2\"\nB = 5\n",
    "[functions]\nf = { environment = { TOKEN = \"hunter2\", B = 5 }, memory = 1 }\n",
    "[functions.f.environment]\nTOKEN = \"\"\"\nhunter2\nhunter2==\n[hunter2]\n\"\"\"\n[api]\nstage = \"a b\"\n",
    "functions.f.environment.TOKEN = 'hunter2'\nfunctions.f.environment.AWS_REGION = 'hunter2'\n",
];

/// A manifest with all its examples in use.
fn uncommented(text: &str) -> String {
    let lines = text.lines().map(|line| if is_example(line) { &line[2..] } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

/// `# key = value` and `# [section]`, and not what explains them.
fn is_example(line: &str) -> bool {
    let Some(rest) = line.strip_prefix("# ") else {
        return false;
    };
    let key = rest.split(" = ").next().filter(|key| key.len() < rest.len()).unwrap_or_default();
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    is_key || rest.starts_with('[')
}
