//! `[tables.NAME]`: a `DynamoDB` table.

use super::read::Item;
use super::section::Section;
use std::ops::RangeInclusive;

/// A `DynamoDB` table.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The hash key.
    pub partition_key: Key,
    /// The range key.
    pub sort_key: Option<Key>,
    /// How capacity is paid for.
    pub billing: Billing,
    /// The attribute that holds an item's expiry, as epoch seconds.
    pub ttl: Option<String>,
    /// Continuous backups.
    pub point_in_time_recovery: bool,
    /// Whether AWS refuses to delete the table. Absent leaves it as it is: protection is never switched off by default.
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The attribute's name.
    pub name: String,
    /// Its type.
    pub r#type: KeyType,
}

/// What a key attribute may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyType {
    /// String.
    S,
    /// Number.
    N,
    /// Binary.
    B,
}

/// How a table's capacity is paid for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Billing {
    /// Per request.
    OnDemand,
    /// Per hour, for what is set aside.
    Provisioned(Provisioned),
}

/// Capacity units a second.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provisioned {
    /// Read capacity units.
    pub read: i64,
    /// Write capacity units.
    pub write: i64,
    /// Auto scaling goes up to this, for both.
    pub max: Option<i64>,
}

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
        /// Application Auto Scaling counts in 32 bits, and no account's quota of DynamoDB comes near.
        const MOST_UNITS: RangeInclusive<i64> = 1..=i32::MAX as i64;
        const FORMS: &str = r#""on-demand" or a table like { read = 5, write = 5, max = 50 }"#;
        if !billing.is_table() {
            return billing.text_where(FORMS, |text| text == "on-demand").map(|_| Self::OnDemand);
        }
        let read = billing.section(FORMS, |keys| {
            let units = "capacity units";
            let read = keys.require("read", "read = 5").and_then(|read| read.whole(MOST_UNITS, units));
            let write = keys.require("write", "write = 5").and_then(|write| write.whole(MOST_UNITS, units));
            let least = read.max(write).unwrap_or(1);
            let max = keys.get("max").and_then(|max| {
                let number: i64 = max.whole(MOST_UNITS, units)?;
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
    (1..=255).contains(&name.chars().count())
}
