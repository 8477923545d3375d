//! Tables.

use super::{mistake, title};
use insta::assert_snapshot;

#[test]
fn keys() {
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         partition-key = { name = \"\", type = \"S\" }"
    ), @r#"
    tables.orders.partition-key.name must be an attribute's name of 1 to 255 characters
     --> stack.toml:2:26
      |
    2 | partition-key = { name = "", type = "S" }
      |                          ^^
    "#);
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         partition-key = { name = \"id\", type = \"string\" }"
    ), @r#"
    tables.orders.partition-key.type must be "S", "N" or "B"
     --> stack.toml:2:39
      |
    2 | partition-key = { name = "id", type = "string" }
      |                                       ^^^^^^^^
    "#);
    assert_snapshot!(title(&format!("[tables.orders]\nsort-key = {{ name = \"{}\", type = \"N\" }}", "a".repeat(256)), ""), @r"tables.orders.sort-key.name must be an attribute's name of 1 to 255 characters");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         sort-key = { name = \"id\", type = \"S\" }"
    ), @r#"
    tables.orders.sort-key must be another attribute than the partition key
     --> stack.toml:2:12
      |
    2 | sort-key = { name = "id", type = "S" }
      |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn billing() {
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         billing = \"provisioned\""
    ), @r#"
    tables.orders.billing must be "on-demand" or a table like { read = 5, write = 5, max = 50 }
     --> stack.toml:2:11
      |
    2 | billing = "provisioned"
      |           ^^^^^^^^^^^^^
    "#);
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         billing = { read = 0, write = 5 }"
    ), @r"
    tables.orders.billing.read must be a whole number of capacity units, at least 1
     --> stack.toml:2:20
      |
    2 | billing = { read = 0, write = 5 }
      |                    ^
    ");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         billing = { read = 5 }"
    ), @r"
    tables.orders.billing needs the key write
     --> stack.toml:2:11
      |
    2 | billing = { read = 5 }
      |           ^^^^^^^^^^^^
      |
      = help: for example, write = 5
    ");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         billing = { read = 5, write = 20, max = 10 }"
    ), @r"
    tables.orders.billing.max must be at least as much as read and write
     --> stack.toml:2:41
      |
    2 | billing = { read = 5, write = 20, max = 10 }
      |                                         ^^
    ");
}

#[test]
fn the_rest() {
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         ttl = \"\""
    ), @r#"
    tables.orders.ttl must be an attribute's name of 1 to 255 characters
     --> stack.toml:2:7
      |
    2 | ttl = ""
      |       ^^
    "#);
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         point-in-time-recovery = 1"
    ), @r"
    tables.orders.point-in-time-recovery must be true or false, without quotes
     --> stack.toml:2:26
      |
    2 | point-in-time-recovery = 1
      |                          ^ this is a whole number
    ");
    assert_snapshot!(mistake(
        "[tables.orders]\n\
         deletion-protection = \"on\""
    ), @r#"
    tables.orders.deletion-protection must be true or false, without quotes
     --> stack.toml:2:23
      |
    2 | deletion-protection = "on"
      |                       ^^^^ this is text
    "#);
}

#[test]
fn capacity_that_auto_scaling_cannot_count() {
    let billing = |text: &str| title(&format!("[tables.orders]\nbilling = {{ {text} }}"), "");
    assert_eq!(
        billing("read = 2147483648, write = 1"),
        "tables.orders.billing.read must be at most 2147483647"
    );
    assert_eq!(
        billing("read = 1, write = 1, max = 99999999999999999999"),
        "tables.orders.billing.max must be at most 2147483647"
    );
    assert_eq!(
        billing("read = -3000000000, write = 1"),
        "tables.orders.billing.read must be a whole number of capacity units, at least 1"
    );
}
