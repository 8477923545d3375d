//! What is to be adopted has to be clear, and nobody else's.

use super::by_hand;
use serde_json::{Value, json};
use support::aws::{ACCOUNT, REGION};
use support::lab::Lab;
use support::proxy::{mutating, operations};

#[test]
fn several_apis_of_one_name_are_listed_and_one_is_chosen() {
    let lab = Lab::new();
    let aws = lab.lookup();
    let first = by_hand::api(&aws);
    let second = by_hand::api(&aws);
    let get = |id: &str| {
        ["", "/resources?embed=methods", "/stages", "/deployments"]
            .map(|part| aws.rest("apigateway", "GET", &format!("/restapis/{id}{part}"), &Value::Null))
    };
    let other = get(&first);

    let up = lab.deployer(&["up", "--adopt"]).run().exits(1);
    assert!(up.stderr.contains(&first) && up.stderr.contains(&second), "{up}");
    assert!(up.stderr.contains("--adopt-api ID"), "{up}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());

    let unknown = lab.deployer(&["up", "--adopt-api", "nobodys"]).run().exits(2);
    assert!(unknown.stderr.contains("there is no API nobodys in us-east-1"), "{unknown}");
    assert!(mutating(lab.proxy.take_calls()).is_empty());

    let up = lab.deployer(&["up", "--adopt-api", &second]).run().succeeds();
    assert_eq!(up.last_line(), by_hand::url(&lab.proxy.url(), &second));
    assert_eq!(get(&first), other, "the other one stays as it is");
    lab.proxy.take_calls();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
    let again = lab.deployer(&["up"]).run().succeeds();
    assert_eq!(again.last_line(), up.last_line());
    assert!(mutating(lab.proxy.take_calls()).is_empty());

    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert_eq!(get(&first), other, "and after the end of ours, too");
    let calls = mutating(lab.proxy.take_calls());
    assert_eq!(operations(&calls).iter().filter(|name| **name == "DeleteRestApi").count(), 1);
}

#[test]
fn what_belongs_to_another_stack_is_refused_although_adopting() {
    let lab = Lab::new();
    let aws = lab.lookup();
    by_hand::make(&lab, by_hand::Rights::Managed);
    let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/lambda-apigateway");
    let tags = json!([
        { "Key": "deployer:stack", "Value": "another" },
        { "Key": "deployer:region", "Value": "us-east-1" },
    ]);
    aws.dynamodb("TagResource", &json!({ "ResourceArn": arn, "Tags": tags }));
    let tags = json!({ "tags": { "deployer:stack": "another", "deployer:region": "eu-west-1" } });
    let api = aws.rest("apigateway", "GET", "/restapis", &Value::Null)["item"][0]["id"].clone();
    let arn = format!("arn:aws:apigateway:{REGION}::/restapis/{}", api.as_str().unwrap());
    aws.rest("apigateway", "PUT", &format!("/tags/{arn}"), &tags);

    let before = aws.tags();
    for command in [["plan", "--adopt"], ["up", "--adopt"]] {
        let refused = lab.deployer(&command).run().exits(1);
        let table = "table lambda-apigateway: it belongs to stack another in us-east-1";
        let api = format!(
            "REST API DynamoDBOperations: it (API {}) belongs to stack another in eu-west-1",
            api.as_str().unwrap()
        );
        assert!(refused.stderr.contains(table) && refused.stderr.contains(&api), "{refused}");
        assert!(
            !refused.stderr.contains("role lambda-apigateway-role:"),
            "that one could be adopted: {refused}"
        );
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());
    assert_eq!(aws.tags(), before);
}
