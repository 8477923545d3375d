//! The table: its comparison in tables, its calls on scripted answers.

use super::*;
use crate::engine::{Change, Diff as _, Impact, Mode, Outcome};
use crate::manifest::Provisioned;
use crate::testing::script::{Answer, always, answers, done, refused};
use crate::testing::{World, scope};
use aws_sdk_dynamodb::Client;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

mod deleting;
mod diff;
mod making;
mod mending;
mod properties;
mod reading;

fn table() -> Table {
    let existing = ExistingTable { name: "orders".to_owned(), scope: scope() };
    Table { existing, declared: DeclaredTable::default() }
}

fn declaring(change: impl FnOnce(&mut DeclaredTable)) -> Table {
    let mut table = table();
    change(&mut table.declared);
    table
}

fn provisioned(read: i64, write: i64) -> Billing {
    Billing::Provisioned(Provisioned { read, write, max: None })
}

/// The table of `table()` as `DynamoDB` describes it: made long ago, with all that it fills in by itself.
fn described(status: &str) -> Value {
    json!({
        "TableName": "orders",
        "TableArn": scope().table_arn("orders"),
        "TableId": "d1b4a9f0-0000-4000-8000-000000000000",
        "TableStatus": status,
        "CreationDateTime": 1_700_000_000.123,
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "BillingModeSummary": { "BillingMode": "PAY_PER_REQUEST", "LastUpdateToPayPerRequestDateTime": 1_700_000_000 },
        "ProvisionedThroughput": { "NumberOfDecreasesToday": 0, "ReadCapacityUnits": 0, "WriteCapacityUnits": 0 },
        "TableClassSummary": { "TableClass": "STANDARD" },
        "WarmThroughput": { "ReadUnitsPerSecond": 12000, "WriteUnitsPerSecond": 4000, "Status": "ACTIVE" },
        "DeletionProtectionEnabled": false,
        "ItemCount": 0,
        "TableSizeBytes": 0,
    })
}

fn described_as(status: &str, change: impl FnOnce(&mut Value)) -> Answer {
    let mut table = described(status);
    change(&mut table);
    done(json!({ "Table": table }))
}

fn is(status: &str) -> Answer {
    described_as(status, |_| ())
}

fn no_such() -> Answer {
    refused(400, "ResourceNotFoundException", "Requested resource not found: Table: orders not found")
}

fn in_use(message: &str) -> Answer {
    refused(400, "ResourceInUseException", message)
}

fn tagged(tags: &Tags) -> Answer {
    let tags: Vec<Value> = tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    done(json!({ "Tags": tags }))
}

fn expiring(status: &str, attribute: &str) -> Answer {
    done(json!({ "TimeToLiveDescription": { "TimeToLiveStatus": status, "AttributeName": attribute } }))
}

fn backed_up(status: &str) -> Answer {
    done(json!({ "ContinuousBackupsDescription": {
        "ContinuousBackupsStatus": "ENABLED",
        "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": status },
    } }))
}

/// `DynamoDB` with a table whose states `DescribeTable` gives one by one. Rules for other calls come first; those
/// that are not there answer as for `table()`.
fn world(states: impl IntoIterator<Item = Answer>, mut rules: Vec<Rule>) -> World {
    rules.push(answers(mock!(Client::describe_table), states));
    rules.push(always(mock!(Client::list_tags_of_resource), tagged(&scope().tags())));
    let off = json!({ "TimeToLiveDescription": { "TimeToLiveStatus": "DISABLED" } });
    rules.push(always(mock!(Client::describe_time_to_live), done(off)));
    rules.push(always(mock!(Client::describe_continuous_backups), backed_up("DISABLED")));
    World::new().with_dynamodb(&rules)
}

/// The same while there is no table: then nothing is known of its parts either.
fn empty_world(states: impl IntoIterator<Item = Answer>, mut rules: Vec<Rule>) -> World {
    let not_found = refused(400, "TableNotFoundException", "Table not found: orders");
    rules.extend([
        answers(mock!(Client::list_tags_of_resource), [no_such()]),
        answers(mock!(Client::describe_time_to_live), [no_such()]),
        answers(mock!(Client::describe_continuous_backups), [not_found]),
    ]);
    world(std::iter::once(no_such()).chain(states), rules)
}

fn ok() -> Answer {
    done(json!({}))
}

async fn up(world: &World, table: &Table) -> Result<Outcome> {
    world.step(Mode::Apply, table, ()).await.1.result
}
