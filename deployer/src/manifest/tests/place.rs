//! Where a stack may be, and its tags.

use super::{many, mistake, title};
use insta::assert_snapshot;

#[test]
fn a_region() {
    assert_snapshot!(mistake("region = \"virginia\""), @r#"
    region must be a region like "us-east-1"
     --> stack.toml:1:10
      |
    1 | region = "virginia"
      |          ^^^^^^^^^^
    "#);
    assert_snapshot!(mistake("region = \"us-east-1a\""), @r#"
    region must be a region like "us-east-1"
     --> stack.toml:1:10
      |
    1 | region = "us-east-1a"
      |          ^^^^^^^^^^^^ this is a zone; its region is us-east-1
    "#);
    assert_snapshot!(mistake("region = \"US-EAST-1\""), @r#"
    region must be a region like "us-east-1"
     --> stack.toml:1:10
      |
    1 | region = "US-EAST-1"
      |          ^^^^^^^^^^^
    "#);
}

#[test]
fn accounts() {
    assert_snapshot!(mistake("allowed-accounts = [\"12345\"]"), @r#"
    allowed-accounts must be an account's 12 digits, in quotes
     --> stack.toml:1:21
      |
    1 | allowed-accounts = ["12345"]
      |                     ^^^^^^^
    "#);
    assert_snapshot!(mistake("allowed-accounts = [123456789012]"), @r"
    allowed-accounts must be an account's 12 digits, in quotes
     --> stack.toml:1:21
      |
    1 | allowed-accounts = [123456789012]
      |                     ^^^^^^^^^^^^ this is a whole number
      |
      = help: put it in quotes
    ");
    assert_snapshot!(mistake("allowed-accounts = []"), @r"
    allowed-accounts must name an account
     --> stack.toml:1:20
      |
    1 | allowed-accounts = []
      |                    ^^
      |
      = help: leave the key out to allow every account
    ");
}

#[test]
fn tags() {
    assert_snapshot!(mistake("tags = { \"aws:x\" = \"1\" }"), @r#"
    a tag's key must not begin with aws: or deployer:, as aws:x does
     --> stack.toml:1:10
      |
    1 | tags = { "aws:x" = "1" }
      |          ^^^^^^^
    "#);
    assert_snapshot!(mistake("tags = { \"Deployer:stack\" = \"1\" }"), @r#"
    a tag's key must not begin with aws: or deployer:, as Deployer:stack does
     --> stack.toml:1:10
      |
    1 | tags = { "Deployer:stack" = "1" }
      |          ^^^^^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake("tags = { \"a#b\" = \"1\" }"), @r#"
    a tag's key must be 1 to 128 characters of a-z A-Z 0-9 space _ . : / = + @ -
     --> stack.toml:1:10
      |
    1 | tags = { "a#b" = "1" }
      |          ^^^^^
    "#);
    assert_snapshot!(mistake("tags = { team = \"Käse\" }"), @r#"
    tags.team must be text of at most 256 characters of a-z A-Z 0-9 space _ . : / = + @ -, not beginning with aws:
     --> stack.toml:1:17
      |
    1 | tags = { team = "Käse" }
      |                 ^^^^^^
    "#);
    assert_snapshot!(mistake("tags = { team = 1 }"), @r"
    tags.team must be text of at most 256 characters of a-z A-Z 0-9 space _ . : / = + @ -, not beginning with aws:
     --> stack.toml:1:17
      |
    1 | tags = { team = 1 }
      |                 ^ this is a whole number
      |
      = help: put it in quotes
    ");
    assert_snapshot!(title(&format!("tags = {}", many(41, "")), ""), @r"tags must be at most 40 tags, and has 41");
}

#[test]
fn tags_that_begin_with_what_aws_keeps_for_itself() {
    assert_snapshot!(mistake("tags = { team = \"AWS:x\" }"), @r#"
    tags.team must be text of at most 256 characters of a-z A-Z 0-9 space _ . : / = + @ -, not beginning with aws:
     --> stack.toml:1:17
      |
    1 | tags = { team = "AWS:x" }
      |                 ^^^^^^^
    "#);
    assert_snapshot!(title("name = \"aws:lab\"", ""), @"the stack's name must not begin with aws:, which AWS keeps for itself");
}

#[test]
fn tags_that_iam_takes_for_one() {
    assert_snapshot!(mistake("tags = { Team = \"a\", team = \"b\" }"), @r#"
    the tags Team and team differ in their case only, and IAM takes them for one
     --> stack.toml:1:22
      |
    1 | tags = { Team = "a", team = "b" }
      |          ----        ^^^^
      |          |
      |          the other tag
    "#);
}
