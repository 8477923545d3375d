//! The requests of a load test: those of the lab's function, or those of a file.

mod file;
#[cfg(test)]
mod tests;

pub(crate) use file::read;

use crate::lab::{ItemKey, ItemTable};
use crate::manifest::{KeyType, Table};

/// The table of this name in AWS, as the lab's requests are about it.
pub(crate) fn item_table(name: String, table: &Table) -> ItemTable<'_> {
    let keys = std::iter::once(&table.partition_key).chain(&table.sort_key);
    let key_of = |key_type| match key_type {
        KeyType::S => ItemKey::Text,
        KeyType::N => ItemKey::Number,
        KeyType::B => ItemKey::Binary,
    };
    ItemTable {
        name,
        keys: keys.map(|key| (key.name.as_str(), key_of(key.r#type))).collect(),
        ttl: table.ttl.as_deref(),
    }
}
