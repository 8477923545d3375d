//! The policy document of a role: what IAM would refuse half-way is refused before anything is changed.

use std::fmt::Write as _;
use support::lab::Lab;
use support::proxy::mutating;

/// A manifest with a policy document of its own, and so many tables.
fn declare(lab: &Lab, tables: usize, statement: &str) {
    let mut manifest = String::from(
        "[functions.LambdaFunctionOverHttps]\nzip = \"handler.zip\"\nruntime = \"provided.al2023\"\n\
         handler = \"bootstrap\"\nlab = true\npolicy = \"own.json\"\n",
    );
    for table in 0..tables {
        writeln!(manifest, "[tables.a-table-with-a-long-name-{table}]").unwrap();
    }
    lab.project.write("stack.toml", &manifest);
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    lab.project.write("own.json", &document);
}

const RIGHT: &str =
    r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":["${tables}","${table-indexes}","${log-groups}"]}"#;

#[test]
fn documents_that_iam_refuses_are_refused_by_plan_and_do_not_keep_down() {
    let lab = Lab::new();
    for (tables, statement, mistake) in [
        (1, r#""Allow""#, "statement 1 must be an object"),
        (
            1,
            r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"x${tables}y"}"#,
            "must be a text of its own",
        ),
        (1, r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"orders"}"#, "Resource must be an ARN"),
        (40, RIGHT, "characters without white space, and IAM takes 6144"),
    ] {
        declare(&lab, tables, statement);
        for command in ["plan", "up"] {
            let refused = lab.deployer(&[command]).run().exits(2);
            assert!(refused.stderr.contains("own.json") && refused.stderr.contains(mistake), "{refused}");
        }
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());

    declare(&lab, 1, RIGHT);
    let _ = lab.deployer(&["up"]).run().succeeds();
    declare(&lab, 1, r#""Allow""#);
    let _ = lab.deployer(&["down", "--yes"]).run().succeeds();
    assert!(lab.lookup().everything().is_empty());
}

#[test]
fn a_boundary_of_another_account_is_refused_by_plan() {
    let lab = Lab::new();
    lab.project.declare("permissions-boundary = \"arn:aws:iam::123456789012:policy/theirs\"\n");
    let refused = lab.deployer(&["plan"]).run().exits(2);
    assert!(refused.stderr.contains("is not of this account"), "{refused}");
}

#[test]
fn letters_of_other_scripts_reach_iam_and_come_back() {
    let lab = Lab::new();
    let resource =
        r#"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/Größe/日本/🦀"}"#;
    declare(&lab, 1, &format!("{RIGHT},{resource}"));
    let _ = lab.deployer(&["up"]).run().succeeds();
    let plan = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
    assert_eq!(plan.stdout, "Nothing to change.\n");
}
