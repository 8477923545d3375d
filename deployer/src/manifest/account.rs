//! `region` and `allowed-accounts`: where a stack may be.

use super::read::Item;
use super::schema::without_default;
use schemars::{Schema, json_schema};

/// The form of a region.
pub(super) const REGION: &str = "^[a-z]+(-[a-z]+)+-[0-9]+$";

pub(super) fn allowed_in_schema(schema: &mut Schema) {
    // Leaving the key out and an empty list are opposites.
    without_default(schema);
    schema.insert("minItems".to_owned(), 1.into());
    let account = json_schema!({ "type": "string", "pattern": "^[0-9]{12}$" });
    schema.insert("items".to_owned(), account.into());
}

pub(super) fn read_region(region: &Item<'_>) -> Option<String> {
    let expected = "a region like \"us-east-1\"";
    let name = region.text(expected)?.text;
    if is_region(name) {
        return Some(name.to_owned());
    }
    let problem = region.wrong(&format!("must be {expected}"));
    let zone = name.trim_end_matches(|c: char| c.is_ascii_lowercase());
    region.report(if zone != name && is_region(zone) {
        problem.label(format!("this is a zone; its region is {zone}"))
    } else {
        problem
    });
    None
}

/// No list of them: AWS opens regions faster than programs are updated.
fn is_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let [words @ .., number] = &parts[..] else {
        return false;
    };
    let is_made_of = |part: &str, of: fn(&char) -> bool| !part.is_empty() && part.chars().all(|c| of(&c));
    words.len() >= 2
        && words.iter().all(|word| is_made_of(word, char::is_ascii_lowercase))
        && is_made_of(number, char::is_ascii_digit)
}

pub(super) fn read_allowed(accounts: &Item<'_>) -> Vec<String> {
    let items = accounts.list(r#"a list like ["123456789012"]"#);
    if items.as_ref().is_some_and(Vec::is_empty) {
        // An empty list would allow every account, the opposite of what it says.
        accounts
            .report(accounts.wrong("must name an account").help("leave the key out to allow every account"));
    }
    let is_account = |text: &str| text.len() == 12 && text.chars().all(|c| c.is_ascii_digit());
    let accounts = items.unwrap_or_default();
    accounts
        .iter()
        .filter_map(|one| one.text_where("an account's 12 digits, in quotes", is_account))
        .collect()
}
