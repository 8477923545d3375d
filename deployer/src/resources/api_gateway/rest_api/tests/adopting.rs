//! APIs that somebody made by hand.

use super::*;
use crate::error::ErrorKind;

/// The lab as the console makes it: no tags, and the path in lower case.
fn by_hand(ids: &[&str]) -> Gateway {
    Gateway::with(|gateway| {
        gateway.apis = ids.iter().zip(0..).map(|(id, age)| listed(id, age, &Tags::new())).collect();
        let lower_case = gateway.resources.to_string().replace("/DynamoDBManager", "/dynamodbmanager");
        gateway.resources = serde_json::from_str(&lower_case).unwrap();
        gateway.deployments = vec![deployment("dep1", "")];
    })
}

fn fields(changes: &[Change]) -> Vec<String> {
    let field = |change: &Change| match change {
        Change::Update { field, .. } | Change::Refused { field, .. } | Change::Replace { field, .. } => {
            field.clone()
        }
        Change::Create | Change::Delete => format!("{change:?}"),
    };
    changes.iter().map(field).collect()
}

#[tokio::test]
async fn an_api_that_nobody_claims_keeps_its_id_and_its_paths() {
    let seen = by_hand(&["api1"]).world(vec![]).observe(&api()).await.unwrap().unwrap();
    assert_eq!(api().existing.owner(&seen), Owner::Unclaimed);
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let tags = ["tags.deployer:paths", "tags.deployer:region", "tags.deployer:stack"];
    assert_eq!(fields(&changes), [&tags[..], &["deployed-definition"]].concat());
    assert_eq!(api().output(&seen).path("/DynamoDBManager"), "/dynamodbmanager");
}

#[tokio::test]
async fn an_adopted_api_keeps_its_paths_in_every_later_run() {
    let mut gateway = by_hand(&["api1"]);
    let mut tags = scope().tags();
    tags.insert(PATHS_TAG.to_owned(), "as-adopted".to_owned());
    gateway.apis[0]["tags"] = json!(tags);
    let seen = gateway.world(vec![]).observe(&api()).await.unwrap().unwrap();
    assert_eq!(api().existing.owner(&seen), Owner::Ours);
    assert_eq!(fields(&api().diff(Some(&()), Some(&seen)).changes()), ["deployed-definition"]);
}

#[tokio::test]
async fn an_api_of_ours_gets_its_paths_as_declared() {
    let mut gateway = by_hand(&["api1"]);
    gateway.apis[0]["tags"] = json!(scope().tags());
    let seen = gateway.world(vec![]).observe(&api()).await.unwrap().unwrap();
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    assert_eq!(fields(&changes), ["POST /DynamoDBManager", "POST /dynamodbmanager", "deployed-definition"]);
}

#[tokio::test]
async fn several_that_nobody_claims_are_a_question() {
    let seen = by_hand(&["a", "b", "c"]).world(vec![]).observe(&api()).await.unwrap().unwrap();
    assert_eq!((seen.id.as_str(), &seen.rivals[..]), ("a", &["b".to_owned(), "c".to_owned()][..]));
    let changes = api().diff(Some(&()), Some(&seen)).changes();
    let refused = changes.iter().find(|change| matches!(change, Change::Refused { .. }));
    assert!(refused.unwrap().to_string().contains("--adopt-api"), "{refused:?}");
}

#[tokio::test]
async fn the_one_that_was_chosen_is_taken() {
    let chosen = declaring(|api| api.adopt = Some("b".to_owned()));
    let seen = by_hand(&["a", "b", "c"]).world(vec![]).observe(&chosen).await.unwrap().unwrap();
    assert_eq!((seen.id.as_str(), seen.rivals.len()), ("b", 0));
    let unknown = declaring(|api| api.adopt = Some("z".to_owned()));
    let error = by_hand(&["a"]).world(vec![]).observe(&unknown).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Usage);
}
