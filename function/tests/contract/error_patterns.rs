//! Tests the patterns of the error table. As in API Gateway, a pattern has to match the whole message, and `.` matches no
//! line end.

use function::ERROR_RESPONSES;
use regex_lite::Regex;

/// Returns the statuses whose patterns match a message.
pub(crate) fn statuses_of(message: &str) -> Vec<u16> {
    let line_end = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
    let matches = |pattern: &str| Regex::new(&format!("^(?:{pattern})$")).unwrap().is_match(message);
    let table = ERROR_RESPONSES.iter().filter(|(_, pattern)| !message.contains(line_end) && matches(pattern));
    table.map(|(status, _)| *status).collect()
}

#[test]
fn no_pattern_matches_a_success() {
    assert_eq!(statuses_of(""), Vec::<u16>::new());
}

#[test]
fn errors_of_lambda_itself_are_500() {
    for message in [
        "RequestId: 6a1f2b8c-0000-0000-0000-000000000000 Error: Runtime exited with error: signal: killed",
        "2026-01-01T00:00:00.000Z 6a1f2b8c-0000-0000-0000-000000000000 Task timed out after 10.01 seconds",
    ] {
        assert_eq!(statuses_of(message), [500], "{message}");
    }
}

#[test]
fn a_message_with_a_line_end_matches_no_pattern() {
    assert_eq!(statuses_of("Invalid request: a\nb"), Vec::<u16>::new());
}
