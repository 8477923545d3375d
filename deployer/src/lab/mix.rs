//! The built-in mix of a load test: an `operation`, a `tableName`, a `payload`.

use super::ping::PING;
use crate::error::{Error, Result};
use loadgen::{MAX_SHARE, RequestKind, RequestMix, RequestTemplate};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// The shares of the four built-in operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BuiltInMix {
    create: u16,
    read: u16,
    list: u16,
    ping: u16,
}

/// The shares that a load test has unless it says others.
pub(crate) const DEFAULT_SHARES: &str = "create=20,read=50,list=10,ping=20";

/// In a table with a time to live, items that are not cleaned up expire after a day.
const EXPIRES_AFTER_SECONDS: u64 = 24 * 60 * 60;

/// The most items that `list` asks for: a scan of a whole table costs by the table's size.
const LIST_LIMIT: u32 = 10;

impl BuiltInMix {
    /// Parses shares like `create=20,read=50`. Returns `None` for a text of another form.
    pub(crate) fn parse(text: &str) -> Option<Result<Self>> {
        let parts: Option<Vec<(&str, &str)>> =
            text.split(',').map(|part| part.trim().split_once('=')).collect();
        let parts = parts?;
        Some(Self::from_shares(&parts).map_err(|why| {
            Error::usage(format!("--mix {text}: {why}"))
                .hint(format!("Write shares like {DEFAULT_SHARES}, or the name of a file."))
        }))
    }

    fn from_shares(parts: &[(&str, &str)]) -> Result<Self, String> {
        let mut shares = Self { create: 0, read: 0, list: 0, ping: 0 };
        let mut seen = Vec::new();
        for (name, share) in parts {
            let place = match *name {
                "create" => &mut shares.create,
                "read" => &mut shares.read,
                "list" => &mut shares.list,
                PING => &mut shares.ping,
                other => return Err(format!("{other} is none of create, read, list and ping")),
            };
            if seen.contains(name) {
                return Err(format!("{name} has two shares"));
            }
            seen.push(name);
            *place = share
                .parse()
                .ok()
                .filter(|share| *share <= MAX_SHARE)
                .ok_or_else(|| format!("{share} is no share; they go from 0 to {MAX_SHARE}"))?;
        }
        if shares.create + shares.read + shares.list + shares.ping == 0 {
            return Err("all shares are 0".to_owned());
        }
        Ok(shares)
    }

    /// Creates the requests to a function, through its route with this path.
    ///
    /// # Errors
    /// There is no table although operations need one, or it has a key that JSON cannot hold.
    pub(crate) fn mix(self, function: &str, path: &str, table: Option<&ItemTable<'_>>) -> Result<RequestMix> {
        let mut requests = Vec::new();
        if self.create + self.read + self.list > 0 {
            let table = table.ok_or_else(|| {
                Error::usage("the function has no table to create, read or list items in")
                    .hint("Say --mix ping=1.")
            })?;
            table.require_keys_in_json()?;
            let about = |operation: &str, payload: Value| json!({ "operation": operation, "tableName": table.name, "payload": payload });
            let delete = about("delete", json!({ "Key": table.key("id") }));
            requests.push((
                "create",
                self.create,
                about("create", json!({ "Item": table.item() })),
                Some(delete),
            ));
            requests.push(("read", self.read, about("read", json!({ "Key": table.key("created") })), None));
            requests.push(("list", self.list, about("list", json!({ "Limit": LIST_LIMIT })), None));
        }
        requests.push((PING, self.ping, json!({ "operation": PING }), None));
        let template = |body: &Value| RequestTemplate::new("POST", path, &body_text(body), &BTreeMap::new());
        let requests = requests.into_iter().filter(|(_, share, ..)| *share > 0);
        let mix = requests
            .map(|(name, share, body, undo)| {
                let undo = undo.as_ref().map(template).transpose()?;
                // The body does not count: it has the name of the table and the time.
                RequestKind::new(name, share, function, template(&body)?, undo, "built in")
            })
            .collect::<Result<Vec<_>, String>>()
            .and_then(RequestMix::new);
        mix.map_err(|why| Error::usage(format!("the built-in mix does not fit the stack: {why}")))
    }
}

/// The table that the requests are about.
#[derive(Clone, Debug)]
pub(crate) struct ItemTable<'a> {
    /// In AWS.
    pub(crate) name: String,
    /// The attributes that make an item's key, with their types.
    pub(crate) keys: Vec<(&'a str, ItemKey)>,
    /// The attribute that holds an item's expiry.
    pub(crate) ttl: Option<&'a str>,
}

/// The type of a key's attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ItemKey {
    Text,
    Number,
    Binary,
}

impl ItemTable<'_> {
    /// # Errors
    /// A key that JSON cannot hold.
    fn require_keys_in_json(&self) -> Result<()> {
        if self.keys.iter().all(|(_, key)| *key != ItemKey::Binary) {
            return Ok(());
        }
        let message = format!("the table {} has a binary key, and the built-in mix knows none", self.name);
        Err(Error::usage(message).hint("Say --mix ping=1, or write a mix of your own and say --mix FILE."))
    }

    fn key(&self, place: &str) -> Value {
        let value = |key: ItemKey| match key {
            // A placeholder without quotes is not JSON, so the quotes are marked and removed from the text.
            ItemKey::Number => format!("{UNQUOTED}{{{{{place}:number}}}}{UNQUOTED}"),
            ItemKey::Text | ItemKey::Binary => format!("{{{{{place}}}}}"),
        };
        self.keys
            .iter()
            .map(|(name, key)| ((*name).to_owned(), Value::String(value(*key))))
            .collect::<serde_json::Map<_, _>>()
            .into()
    }

    /// A whole item.
    fn item(&self) -> Value {
        let mut item = self.key("id");
        if let Some(ttl) = self.ttl {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            item[ttl] = (now + EXPIRES_AFTER_SECONDS).into();
        }
        let names = ["writtenBy", "note"];
        let texts = ["deployer load", "An item of a load test. It may be deleted."];
        for (name, text) in names.into_iter().zip(texts) {
            if item.get(name).is_none() {
                item[name] = text.into();
            }
        }
        item
    }
}

/// Marks strings that lose their quotes.
const UNQUOTED: &str = "\u{1}";

fn body_text(body: &Value) -> String {
    // JSON writes the mark as an escape.
    let (open, close) = (r#""\u0001"#, r#"\u0001""#);
    body.to_string().replace(open, "").replace(close, "")
}
