use super::*;
use crate::engine::Shown;
use crate::manifest::KeyType;
use crate::testing::plain;

fn seen() -> Observed {
    Observed { tags: scope().tags(), ..table().fresh() }
}

fn update(field: &str, from: Option<&str>, to: Option<&str>) -> Change {
    Change::Update { field: field.to_owned(), from: from.into(), to: to.into(), impact: Impact::None }
}

#[test]
fn an_absent_table_is_created() {
    assert_eq!(table().diff(Some(&()), None).changes(), [Change::Create]);
}

#[test]
fn a_table_as_declared_does_not_differ() {
    assert_eq!(table().diff(Some(&()), Some(&seen())).changes(), []);
}

#[test]
fn a_table_that_is_being_deleted_is_created_anew() {
    let going = Observed { status: TableStatus::Deleting, tags: Tags::new(), ..seen() };
    assert_eq!(table().diff(Some(&()), Some(&going)).changes(), [Change::Create]);
    assert_eq!(table().existing.owner(&going), Owner::Ours, "nobody can be robbed of it");
}

#[test]
fn each_difference_is_one_change() {
    let same: fn(&mut Observed) = |_| ();
    let cases: [(Table, fn(&mut Observed), Change); 12] = [
        (
            table(),
            |seen| seen.status = TableStatus::Updating,
            update("status", Some("UPDATING"), Some("ACTIVE")),
        ),
        (
            table(),
            |seen| seen.status = TableStatus::Creating,
            update("status", Some("CREATING"), Some("ACTIVE")),
        ),
        (
            table(),
            |seen| seen.capacity = Capacity::Provisioned { read: 1, write: 2 },
            update("billing", Some("1 read, 2 write"), Some("on-demand")),
        ),
        (
            declaring(|table| table.billing = provisioned(5, 6)),
            same,
            update("billing", Some("on-demand"), Some("5 read, 6 write")),
        ),
        (
            declaring(|table| table.billing = provisioned(5, 6)),
            |seen| seen.capacity = Capacity::Provisioned { read: 5, write: 5 },
            update("billing", Some("5 read, 5 write"), Some("5 read, 6 write")),
        ),
        (
            declaring(|table| table.ttl = Some("expires".to_owned())),
            same,
            update("ttl", None, Some("expires")),
        ),
        (table(), |seen| seen.ttl = Some("expires".to_owned()), update("ttl", Some("expires"), None)),
        (
            declaring(|table| table.point_in_time_recovery = true),
            same,
            update("point-in-time-recovery", Some("false"), Some("true")),
        ),
        (
            table(),
            |seen| seen.point_in_time_recovery = true,
            update("point-in-time-recovery", Some("true"), Some("false")),
        ),
        (
            declaring(|table| table.deletion_protection = Some(true)),
            same,
            update("deletion-protection", Some("false"), Some("true")),
        ),
        (
            table(),
            |seen| drop(seen.tags.remove("deployer:region")),
            update("tags.deployer:region", None, Some("us-east-1")),
        ),
        (
            table(),
            |seen| drop(seen.tags.insert("deployer:stack".to_owned(), "other".to_owned())),
            update("tags.deployer:stack", Some("other"), Some("lab")),
        ),
    ];
    for (table, change, expected) in cases {
        let mut seen = seen();
        change(&mut seen);
        assert_eq!(plain(table.diff(Some(&()), Some(&seen)).changes()), [expected]);
    }
}

/// Nobody can restore the table to a moment of the last weeks any more.
#[test]
fn backups_that_are_switched_off_are_a_loss_and_no_backups_are_none() {
    let loss = |table: &Table, backed_up| {
        let seen = Observed { point_in_time_recovery: backed_up, ..seen() };
        let [change] = &table.diff(Some(&()), Some(&seen)).changes()[..] else { panic!("one change") };
        change.loss(&table.existing.id())
    };
    let (with, without) = (declaring(|table| table.point_in_time_recovery = true), table());
    let name = &without.existing.name;
    assert_eq!(loss(&without, true), Some(format!("the continuous backups of table {name}")));
    assert_eq!(loss(&with, false), None);
}

#[test]
fn what_auto_scaling_moves_within_its_limits_is_no_difference() {
    let scaled = declaring(|table| {
        let Billing::Provisioned(mut capacity) = provisioned(5, 6) else { unreachable!() };
        capacity.max = Some(10);
        table.billing = Billing::Provisioned(capacity);
    });
    let diff = |read, write| {
        let seen = Observed { capacity: Capacity::Provisioned { read, write }, ..seen() };
        plain(scaled.diff(Some(&()), Some(&seen)).changes())
    };
    for (read, write) in [(5, 6), (10, 6), (7, 10)] {
        assert_eq!(diff(read, write), [], "{read} {write}");
    }
    for (read, write, to) in [
        (4, 9, "5 read, 9 write"),
        (9, 5, "9 read, 6 write"),
        (11, 8, "10 read, 8 write"),
        (7, 11, "7 read, 10 write"),
        (60, 60, "10 read, 10 write"),
        (1, 60, "5 read, 10 write"),
    ] {
        let from = format!("{read} read, {write} write");
        assert_eq!(diff(read, write), [update("billing", Some(&from), Some(to))]);
    }
    let on_demand = plain(scaled.diff(Some(&()), Some(&seen())).changes());
    assert_eq!(on_demand, [update("billing", Some("on-demand"), Some("5 read, 6 write"))]);
}

#[test]
fn protection_that_nobody_declared_is_left_as_it_is() {
    let seen = Observed { deletion_protection: true, ..seen() };
    assert_eq!(table().diff(Some(&()), Some(&seen)).changes(), []);
}

#[test]
fn what_would_lose_items_is_refused() {
    let id = |r#type| Key { name: "id".to_owned(), r#type };
    let at = Key { name: "at".to_owned(), r#type: KeyType::N };
    let cases = [
        (declaring(|table| table.partition_key = id(KeyType::N)), "id (S)", "id (N)"),
        (declaring(|table| table.partition_key.name = "key".to_owned()), "id (S)", "key (S)"),
        (declaring(|table| table.sort_key = Some(at.clone())), "id (S)", "id (S), at (N)"),
    ];
    for (table, from, to) in cases {
        let changes = table.diff(Some(&()), Some(&seen())).changes();
        let [Change::Refused { field, from: was, to: wanted, why }] = &changes[..] else {
            panic!("{changes:?}")
        };
        assert_eq!((field.as_str(), was, wanted), ("keys", &Shown::from(from), &Shown::from(to)));
        assert!(why.contains("would lose the items"), "{why}");
    }
    let two = declaring(|table| table.sort_key = Some(at));
    let reversed = Observed { keys: vec!["at (N)".to_owned(), "id (S)".to_owned()], ..seen() };
    let changes = two.diff(Some(&()), Some(&reversed)).changes();
    assert!(matches!(&changes[..], [Change::Refused { .. }]), "which key is the first matters: {changes:?}");
}

#[test]
fn another_ttl_attribute_is_refused_before_anything_is_changed() {
    let table = declaring(|table| table.ttl = Some("expires".to_owned()));
    let seen = Observed { ttl: Some("until".to_owned()), ..seen() };
    let changes = table.diff(Some(&()), Some(&seen)).changes();
    let [Change::Refused { field, from, to, .. }] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!((field.as_str(), from, to), ("ttl", &"until".into(), &"expires".into()));
}

#[test]
fn foreign_tags_stay() {
    let mut seen = seen();
    seen.tags.insert("cost-centre".to_owned(), "42".to_owned());
    assert_eq!(table().diff(Some(&()), Some(&seen)).changes(), []);
}

#[test]
fn an_untagged_table_is_not_ours() {
    let untagged = Observed { tags: Tags::new(), ..seen() };
    assert_ne!(table().existing.owner(&untagged), Owner::Ours);
    assert_eq!(table().diff(Some(&()), Some(&untagged)).changes().len(), scope().tags().len());
}

#[test]
fn a_protected_table_blocks_down() {
    assert_eq!(table().existing.blockers(&seen()), [""; 0]);
    let blockers = table().existing.blockers(&Observed { deletion_protection: true, ..seen() });
    assert!(
        matches!(&blockers[..], [why] if why.starts_with("is protected against deletion")),
        "{blockers:?}"
    );
}

#[test]
fn states_that_do_not_end_by_themselves_are_refused_with_the_way_out() {
    for (status, way_out) in [
        (TableStatus::InaccessibleEncryptionCredentials, "enable that KMS key again"),
        (TableStatus::Archiving, "restore its backup"),
        (TableStatus::Archived, "restore its backup"),
        (TableStatus::ReplicationNotAuthorized, "service-linked role for replication"),
    ] {
        let changes = table().diff(Some(&()), Some(&Observed { status: status.clone(), ..seen() })).changes();
        let [Change::Refused { field, from, why, .. }] = &changes[..] else { panic!("{changes:?}") };
        assert_eq!((field.as_str(), from), ("status", &Shown::from(status.as_str())));
        assert!(why.contains(way_out), "{why}");
    }
}

#[test]
fn replicas_are_shown_and_block_down() {
    let seen = Observed { replicas: vec!["eu-west-1".to_owned(), "sa-east-1".to_owned()], ..seen() };
    assert_eq!(table().diff(Some(&()), Some(&seen)).changes(), []);
    assert_eq!(table().existing.state(&seen), "active, on-demand, replicas in eu-west-1 and sa-east-1");
    let blockers = table().existing.blockers(&seen);
    assert_eq!(blockers, ["has replicas in eu-west-1 and sa-east-1; delete those first, if you mean it"]);
}

#[test]
fn its_state_is_status_and_billing() {
    assert_eq!(table().existing.state(&seen()), "active, on-demand");
    let capacity = Capacity::Provisioned { read: 5, write: 6 };
    let updating = Observed { status: TableStatus::Updating, capacity, ..seen() };
    assert_eq!(table().existing.state(&updating), "updating, 5 read, 6 write");
}
