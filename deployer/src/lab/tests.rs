//! What this program knows of the lab's function is what the function does.

use super::*;

/// What the function itself promises about its messages.
#[path = "../../../function/src/error_table.rs"]
#[expect(dead_code, unreachable_pub, reason = "only its table is of interest here")]
mod error_table;

#[test]
fn errors_are_mapped_as_the_function_says() {
    let theirs =
        error_table::ERROR_RESPONSES.map(|(status, pattern)| (status.to_string(), pattern.to_owned()));
    let ours = ERROR_RESPONSES.map(|(status, pattern, _)| (status.to_owned(), pattern.to_owned()));
    assert_eq!(ours, theirs);
}
