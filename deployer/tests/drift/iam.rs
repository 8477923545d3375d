//! The role and its policy.

use super::row::{EVERYTHING, ROLE, Row, Stack, one};
use serde_json::Value;
use support::aws::{elements, items};

const ROLE_THING: &str = "role lambda-apigateway-role";
const POLICY_THING: &str = "policy lambda-apigateway-policy";
const POLICY_ARN: &str = "arn:aws:iam::000000000000:policy/lambda-apigateway-policy";

/// Lets another service take the role, too.
const WIDE_TRUST: &str = r#"{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":["edgelambda.amazonaws.com","lambda.amazonaws.com"]}}],"Version":"2012-10-17"}"#;

pub(crate) const LAB: &[Row] = &[
    Row {
        name: "trust",
        change: |stack| {
            let before = decoded(&role(stack, "AssumeRolePolicyDocument"));
            stack.aws.iam("UpdateAssumeRolePolicy", &[("RoleName", ROLE), ("PolicyDocument", WIDE_TRUST)]);
            one(ROLE_THING, &[&format!("trust: {} → {before}", statements(WIDE_TRUST))])
        },
        repair: &["UpdateAssumeRolePolicy"],
    },
    Row {
        name: "description of the role",
        change: |stack| {
            stack.aws.iam("UpdateRole", &[("RoleName", ROLE), ("Description", "mine")]);
            one(ROLE_THING, &["description: mine → Runs the functions of lambda-apigateway in us-east-1"])
        },
        repair: &["UpdateRole"],
    },
    Row {
        name: "longest session",
        change: |stack| {
            stack.aws.iam("UpdateRole", &[("RoleName", ROLE), ("MaxSessionDuration", "7200")]);
            one(ROLE_THING, &["max-session-duration: 7200 → 3600"])
        },
        repair: &["UpdateRole"],
    },
    Row {
        name: "tag of the role",
        change: |stack| {
            stack.aws.iam("UntagRole", &[("RoleName", ROLE), ("TagKeys.member.1", "team")]);
            one(ROLE_THING, &["tags.team: (none) → shop"])
        },
        repair: &["TagRole"],
    },
    Row {
        name: "policy document",
        change: |stack| {
            let before = policy_document(stack);
            let new = [("PolicyArn", POLICY_ARN), ("PolicyDocument", EVERYTHING), ("SetAsDefault", "true")];
            stack.aws.iam("CreatePolicyVersion", &new);
            one(POLICY_THING, &[&format!("document: {} → {before}", statements(EVERYTHING))])
        },
        // The version of before still stands, and is put in force again.
        repair: &["SetDefaultPolicyVersion"],
    },
    Row {
        name: "policy document, without the version of before",
        change: |stack| {
            let before = policy_document(stack);
            for version in
                elements(&stack.aws.iam("ListPolicyVersions", &[("PolicyArn", POLICY_ARN)]), "VersionId")
            {
                if version != "v1" {
                    stack
                        .aws
                        .iam("DeletePolicyVersion", &[("PolicyArn", POLICY_ARN), ("VersionId", &version)]);
                }
            }
            let new = [("PolicyArn", POLICY_ARN), ("PolicyDocument", EVERYTHING), ("SetAsDefault", "true")];
            stack.aws.iam("CreatePolicyVersion", &new);
            stack.aws.iam("DeletePolicyVersion", &[("PolicyArn", POLICY_ARN), ("VersionId", "v1")]);
            one(POLICY_THING, &[&format!("document: {} → {before}", statements(EVERYTHING))])
        },
        repair: &["CreatePolicyVersion"],
    },
    Row {
        name: "attachment of the policy",
        change: |stack| {
            stack.aws.iam("DetachRolePolicy", &[("RoleName", ROLE), ("PolicyArn", POLICY_ARN)]);
            one(POLICY_THING, &["attached-to: (none) → role lambda-apigateway-role"])
        },
        repair: &["AttachRolePolicy"],
    },
    Row {
        name: "tag of the policy",
        change: |stack| {
            let tag = [("Key", "team"), ("Value", "other")];
            let tag = tag.map(|(name, value)| (format!("Tags.member.1.{name}"), value));
            let [key, value] = tag.each_ref().map(|(name, value)| (name.as_str(), *value));
            stack.aws.iam("TagPolicy", &[("PolicyArn", POLICY_ARN), key, value]);
            one(POLICY_THING, &["tags.team: other → shop"])
        },
        repair: &["TagPolicy"],
    },
];

pub(crate) const FULL: &[Row] = &[
    Row {
        name: "boundary removed",
        change: |stack| {
            stack.aws.iam("DeleteRolePermissionsBoundary", &[("RoleName", ROLE)]);
            one(ROLE_THING, &["permissions-boundary: (none) → arn:aws:iam::000000000000:policy/fence"])
        },
        repair: &["PutRolePermissionsBoundary"],
    },
    Row {
        name: "another boundary",
        change: |stack| {
            let boundary = [("RoleName", ROLE), ("PermissionsBoundary", POLICY_ARN)];
            stack.aws.iam("PutRolePermissionsBoundary", &boundary);
            let fence = "arn:aws:iam::000000000000:policy/fence";
            one(ROLE_THING, &[&format!("permissions-boundary: {POLICY_ARN} → {fence}")])
        },
        repair: &["PutRolePermissionsBoundary"],
    },
];

fn role(stack: &Stack, element: &str) -> String {
    elements(&stack.aws.iam("GetRole", &[("RoleName", ROLE)]), element).remove(0)
}

fn policy_document(stack: &Stack) -> String {
    let of = ("PolicyArn", POLICY_ARN);
    let version = elements(&stack.aws.iam("GetPolicy", &[of]), "DefaultVersionId").remove(0);
    let answer = stack.aws.iam("GetPolicyVersion", &[of, ("VersionId", &version)]);
    decoded(&elements(&answer, "Document").remove(0))
}

/// A document as IAM returns it: percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let byte = match first {
            b'%' => {
                after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok())
            }
            _ => None,
        };
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    statements(&String::from_utf8(bytes).unwrap())
}

/// A document as the plan writes it where none of its statements is in the other one.
fn statements(document: &str) -> String {
    let document: Value = serde_json::from_str(document).unwrap();
    let texts: Vec<String> = items(&document["Statement"]).iter().map(ToString::to_string).collect();
    texts.join(" ")
}
