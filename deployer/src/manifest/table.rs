//! `[tables.NAME]`: a `DynamoDB` table.

use super::read::Item;
use super::schema::within;
use super::section::Section;
use schemars::JsonSchema;
use serde::Serialize;
use std::ops::RangeInclusive;

/// A DynamoDB table. The keys of a table never change afterwards: another key is another table.
#[derive(Clone, Debug, JsonSchema)]
#[schemars(rename_all = "kebab-case", default, deny_unknown_fields)]
pub(crate) struct Table {
    /// The partition key.
    pub partition_key: Key,
    /// The sort key: another attribute than the partition key.
    pub sort_key: Option<Key>,
    /// How capacity is paid for.
    #[schemars(extend("default" = "on-demand"))]
    pub billing: Billing,
    /// The attribute that holds the time at which an item expires, in seconds since 1970.
    #[schemars(length(min = 1, max = LONGEST_ATTRIBUTE))]
    pub ttl: Option<String>,
    /// Whether the table has continuous backups.
    pub point_in_time_recovery: bool,
    /// Whether AWS refuses to delete the table. Without this key, it stays as it is.
    pub deletion_protection: Option<bool>,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            partition_key: Key { name: "id".to_owned(), r#type: KeyType::S },
            sort_key: None,
            billing: Billing::OnDemand,
            ttl: None,
            point_in_time_recovery: false,
            deletion_protection: None,
        }
    }
}

/// A key attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Key {
    /// The attribute's name.
    #[schemars(length(min = 1, max = LONGEST_ATTRIBUTE))]
    pub name: String,
    /// The attribute's type.
    pub r#type: KeyType,
}

/// What a key attribute may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) enum KeyType {
    /// A string.
    S,
    /// A number.
    N,
    /// Binary data.
    B,
}

/// How a table's capacity is paid for.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(crate) enum Billing {
    /// Per request.
    OnDemand,
    /// Per hour, for provisioned capacity.
    #[schemars(untagged)]
    Provisioned(Provisioned),
}

/// Provisioned capacity.
#[derive(Clone, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub(crate) struct Provisioned {
    /// Read capacity units per second.
    #[schemars(transform = within(&UNITS))]
    pub read: i64,
    /// Write capacity units per second.
    #[schemars(transform = within(&UNITS))]
    pub write: i64,
    /// The most units that auto scaling goes up to, for reads and for writes. At least as much as `read` and `write`. Without
    /// this key, there is no auto scaling.
    #[schemars(transform = within(&UNITS))]
    pub max: Option<i64>,
}

/// Application Auto Scaling counts in 32 bits, and no account's quota of DynamoDB comes near.
const UNITS: RangeInclusive<i64> = 1..=i32::MAX as i64;

/// DynamoDB's longest name of an attribute, in characters.
const LONGEST_ATTRIBUTE: usize = 255;

/// An attribute's name, wherever one is declared.
const ATTRIBUTE: &str = "an attribute's name of 1 to 255 characters";

impl Table {
    pub(super) fn read(table: &Item<'_>) -> Self {
        table.section("a table like [tables.NAME]", Self::of).unwrap_or_default()
    }

    fn of(keys: &mut Section<'_>) -> Self {
        let default = Self::default();
        let read = Self {
            partition_key: keys
                .get("partition-key")
                .and_then(|key| Key::read(&key))
                .unwrap_or(default.partition_key),
            sort_key: None,
            billing: keys
                .get("billing")
                .and_then(|billing| Billing::read(&billing))
                .unwrap_or(default.billing),
            ttl: keys.get("ttl").and_then(|ttl| ttl.text_where(ATTRIBUTE, is_attribute)),
            point_in_time_recovery: keys
                .get("point-in-time-recovery")
                .and_then(|on| on.flag())
                .unwrap_or_default(),
            deletion_protection: keys.get("deletion-protection").and_then(|on| on.flag()),
        };
        let Some(item) = keys.get("sort-key") else {
            return read;
        };
        let sort_key = Key::read(&item);
        if sort_key.as_ref().is_some_and(|key| key.name == read.partition_key.name) {
            item.report(item.wrong("must be another attribute than the partition key"));
        }
        Self { sort_key, ..read }
    }
}

impl Key {
    fn read(key: &Item<'_>) -> Option<Self> {
        let read = key.section(r#"a table like { name = "id", type = "S" }"#, |keys| {
            let name =
                keys.require("name", r#"name = "id""#).and_then(|n| n.text_where(ATTRIBUTE, is_attribute));
            let types = [("S", KeyType::S), ("N", KeyType::N), ("B", KeyType::B)];
            let r#type = keys.require("type", r#"type = "S""#).and_then(|t| t.choice(&types));
            Some(Self { name: name?, r#type: r#type? })
        });
        read.flatten()
    }
}

impl Billing {
    fn read(billing: &Item<'_>) -> Option<Self> {
        const FORMS: &str = r#""on-demand" or a table like { read = 5, write = 5, max = 50 }"#;
        if !billing.is_table() {
            return billing.text_where(FORMS, |text| text == "on-demand").map(|_| Self::OnDemand);
        }
        let read = billing.section(FORMS, |keys| {
            let units = "capacity units";
            let read = keys.require("read", "read = 5").and_then(|read| read.whole(UNITS, units));
            let write = keys.require("write", "write = 5").and_then(|write| write.whole(UNITS, units));
            let least = read.max(write).unwrap_or(1);
            let max = keys.get("max").and_then(|max| {
                let number: i64 = max.whole(UNITS, units)?;
                if number < least {
                    max.report(max.wrong("must be at least as much as read and write"));
                }
                Some(number)
            });
            Some(Self::Provisioned(Provisioned { read: read?, write: write?, max }))
        });
        read.flatten()
    }
}

fn is_attribute(name: &str) -> bool {
    (1..=LONGEST_ATTRIBUTE).contains(&name.chars().count())
}
