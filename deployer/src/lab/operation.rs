//! An event of the lab's function.

/// The event of an operation. `payload` is JSON, and stays as it was written: it may hold numbers that no machine keeps.
pub(crate) fn event(operation: &str, table: Option<&str>, payload: Option<&str>) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut event = format!("{{\"operation\":{}", quoted(operation));
    if let Some(table) = table {
        event.push_str(&format!(",\"tableName\":{}", quoted(table)));
    }
    if let Some(payload) = payload {
        event.push_str(&format!(",\"payload\":{payload}"));
    }
    event.push('}');
    event
}
