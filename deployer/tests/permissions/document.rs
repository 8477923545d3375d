//! The policy holds the action of each call that the program makes, and no other.

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

const POLICY: &str = include_str!("../../../policies/deployer-policy.json");

/// What AWS asks for besides the call itself: to show a function's tags with it, to hand a role to Lambda, to tag what
/// is created with tags, to change who may call an API, and to let Application Auto Scaling make its own role and its alarms.
const BESIDES: [&str; 8] = [
    "apigateway:UpdateRestApiPolicy",
    "application-autoscaling:TagResource",
    "cloudwatch:DeleteAlarms",
    "cloudwatch:DescribeAlarms",
    "cloudwatch:PutMetricAlarm",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "lambda:ListTags",
];

/// API Gateway's actions are HTTP's verbs.
const VERBS: [(&str, &str); 6] = [
    ("Create", "POST"),
    ("Delete", "DELETE"),
    ("Get", "GET"),
    ("Put", "PUT"),
    ("Tag", "PUT"),
    ("Update", "PATCH"),
];

#[test]
fn the_policy_grants_each_call_and_nothing_else() {
    let mut called = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut called);
    assert!(called.len() > 40, "calls are found: {called:?}");
    let needed: BTreeSet<String> =
        called.iter().map(|call| action(call)).chain(BESIDES.map(str::to_owned)).collect();
    let policy: Value = serde_json::from_str(POLICY).unwrap();
    let granted: BTreeSet<String> = policy["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|statement| match &statement["Action"] {
            Value::Array(all) => all.clone(),
            one => vec![one.clone()],
        })
        .map(|action| action.as_str().unwrap().to_owned())
        .collect();
    let missing: Vec<_> = needed.difference(&granted).collect();
    let idle: Vec<_> = granted.difference(&needed).collect();
    assert_eq!((missing, idle), (vec![], vec![]), "missing in the policy, and never needed");
}

fn action(call: &str) -> String {
    let Some(operation) = call.strip_prefix("apigateway:") else {
        return call.to_owned();
    };
    let verb = VERBS.iter().find(|(prefix, _)| operation.starts_with(prefix));
    format!("apigateway:{}", verb.unwrap_or_else(|| panic!("{call} has no verb")).1)
}

/// Every call names itself where it is made, as IAM writes the action.
fn collect(folder: &Path, called: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "tests" && name != "testing" {
            collect(&path, called);
        }
        if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "testing.rs"].contains(&name)
        {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for marker in ["call(", "AwsError::new("] {
                let calls = code.split(marker).skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
                called.extend(calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
        }
    }
}
