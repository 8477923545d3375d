//! Determines which operation an event requests.

use crate::{action::Action, attribute::Notation, failure::Failure, json::Json};

/// The request in an event: one of the seven operations.
#[derive(Debug, PartialEq)]
pub(crate) enum Request<'j> {
    /// Answers with the payload, or with null if there is none.
    Echo(Option<&'j Json<'j>>),
    /// Answers with `"pong"`.
    Ping,
    /// Calls DynamoDB.
    Call(Call<'j>),
}

/// A call of DynamoDB with unchecked parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Call<'j> {
    pub(crate) action: Action,
    /// The event's `tableName`, or `None` if the payload has a `TableName`, which takes precedence.
    pub(crate) table: Option<&'j Json<'j>>,
    pub(crate) payload: &'j Json<'j>,
    /// The notation of attribute values in the payload and in the answer.
    pub(crate) notation: Notation,
}

impl<'j> Request<'j> {
    /// Parses an event and ignores unknown keys.
    ///
    /// # Errors
    ///
    /// An `InvalidRequest` that names the field and the expected type, or a `ValueError` for an unknown operation.
    pub(crate) fn from_event(event: &'j Json<'j>) -> Result<Self, Failure> {
        if event.members().is_none() {
            let kind = event.kind();
            return Err(Failure::invalid_request(&format!("the event should be an object, not {kind}")));
        }
        let operation = match event.get("operation") {
            Some(Json::String(operation)) => operation.as_ref(),
            other => return Err(wrong_field("operation", "a string", other)),
        };
        let action = match operation {
            "echo" => return Ok(Self::Echo(event.get("payload"))),
            "ping" => return Ok(Self::Ping),
            "create" => Action::PutItem,
            "read" => Action::GetItem,
            "update" => Action::UpdateItem,
            "delete" => Action::DeleteItem,
            "list" => Action::Scan,
            other => return Err(Failure::unrecognized_operation(other)),
        };
        let (payload, notation) = payload(event)?;
        let table = match (payload.get("TableName"), event.get("tableName")) {
            (Some(_), _) => None,
            (None, Some(name @ Json::String(_))) => Some(name),
            (None, other) => return Err(wrong_field("tableName", "a string", other)),
        };
        Ok(Self::Call(Call { action, table, payload, notation }))
    }
}

#[cfg(test)]
impl<'j> Request<'j> {
    /// Returns the call, or panics if this is not a call.
    pub(crate) fn into_call(self) -> Call<'j> {
        match self {
            Self::Call(call) => call,
            other => unreachable!("{other:?} is not a call"),
        }
    }
}

impl Call<'_> {
    /// Returns the name of the operation in an event.
    pub(crate) fn operation(&self) -> &'static str {
        match self.action {
            Action::PutItem => "create",
            Action::GetItem => "read",
            Action::UpdateItem => "update",
            Action::DeleteItem => "delete",
            Action::Scan => "list",
        }
    }

    /// Returns the name of the table, if it is a string.
    pub(crate) fn table_name(&self) -> Option<&str> {
        self.payload.get("TableName").or(self.table)?.text()
    }
}

/// Returns the parameters of a call: `payload`, or `typedPayload` for typed JSON.
///
/// An event with both is refused, because one of them would be ignored silently.
fn payload<'j>(event: &'j Json<'j>) -> Result<(&'j Json<'j>, Notation), Failure> {
    let (name, payload, notation) = match (event.get("payload"), event.get("typedPayload")) {
        (Some(_), Some(_)) => {
            return Err(Failure::invalid_request("payload and typedPayload cannot be used together"));
        }
        (None, Some(payload)) => ("typedPayload", Some(payload), Notation::Typed),
        (payload, None) => ("payload", payload, Notation::Plain),
    };
    match payload {
        Some(payload @ Json::Object(_)) => Ok((payload, notation)),
        other => Err(wrong_field(name, "an object with the operation's parameters", other)),
    }
}

fn wrong_field(field: &str, expected: &str, found: Option<&Json<'_>>) -> Failure {
    let found = found.map_or("missing", Json::kind);
    Failure::invalid_request(&format!("{field} should be {expected}, but is {found}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    fn problem(event: &str) -> String {
        let event = parse(event.as_bytes()).unwrap();
        Request::from_event(&event).unwrap_err().message
    }

    #[test]
    fn echo_and_ping_ignore_all_other_keys() {
        let event = parse(br#"{"operation":"echo","tableName":null,"extra":1}"#).unwrap();
        assert_eq!(Request::from_event(&event), Ok(Request::Echo(None)));
        let event = parse(br#"{"operation":"echo","payload":null}"#).unwrap();
        assert_eq!(Request::from_event(&event), Ok(Request::Echo(Some(&Json::Null))));
        let event = parse(br#"{"operation":"ping","tableName":5,"payload":5}"#).unwrap();
        assert_eq!(Request::from_event(&event), Ok(Request::Ping));
    }

    #[test]
    fn the_payloads_table_name_takes_precedence() {
        let event = parse(br#"{"operation":"list","tableName":5,"payload":{"TableName":"b"}}"#).unwrap();
        let call = Request::from_event(&event).unwrap().into_call();
        assert_eq!((call.action, call.table_name()), (Action::Scan, Some("b")));

        let event = parse(br#"{"operation":"list","tableName":"a","payload":{}}"#).unwrap();
        let call = Request::from_event(&event).unwrap().into_call();
        assert_eq!(call.table_name(), Some("a"));
    }

    #[test]
    fn the_name_of_the_payload_selects_the_notation() {
        for (name, notation) in [("payload", Notation::Plain), ("typedPayload", Notation::Typed)] {
            let event = format!(r#"{{"operation":"list","{name}":{{"TableName":"t"}}}}"#);
            let event = parse(event.as_bytes()).unwrap();
            let call = Request::from_event(&event).unwrap().into_call();
            assert_eq!((call.notation, call.table_name()), (notation, Some("t")));
        }
        let event = parse(br#"{"operation":"echo","payload":1,"typedPayload":2}"#).unwrap();
        assert_eq!(Request::from_event(&event), Ok(Request::Echo(Some(&Json::Number("1")))));
    }

    #[test]
    fn each_operation_has_its_action() {
        for (operation, action) in [
            ("create", Action::PutItem),
            ("read", Action::GetItem),
            ("update", Action::UpdateItem),
            ("delete", Action::DeleteItem),
            ("list", Action::Scan),
        ] {
            let event = format!(r#"{{"operation":"{operation}","tableName":"t","payload":{{}}}}"#);
            let event = parse(event.as_bytes()).unwrap();
            assert!(matches!(Request::from_event(&event), Ok(Request::Call(call)) if call.action == action));
        }
    }

    #[test]
    fn names_the_wrong_field_and_the_expected_type() {
        for (event, expected) in [
            ("[1]", "Invalid request: the event should be an object, not an array"),
            ("null", "Invalid request: the event should be an object, not null"),
            ("{}", "Invalid request: operation should be a string, but is missing"),
            (r#"{"Operation":"ping"}"#, "Invalid request: operation should be a string, but is missing"),
            (r#"{"operation":0}"#, "Invalid request: operation should be a string, but is a number"),
            (r#"{"operation":""}"#, r#"Unrecognized operation """#),
            (r#"{"operation":" create"}"#, r#"Unrecognized operation " create""#),
            (
                r#"{"operation":"read","tableName":"t"}"#,
                "Invalid request: payload should be an object with the operation's parameters, but is missing",
            ),
            (
                r#"{"operation":"read","tableName":"t","payload":[]}"#,
                "Invalid request: payload should be an object with the operation's parameters, but is an array",
            ),
            (
                r#"{"operation":"read","tableName":"t","typedPayload":null}"#,
                "Invalid request: typedPayload should be an object with the operation's parameters, but is null",
            ),
            (
                r#"{"operation":"read","tableName":"t","payload":{},"typedPayload":{}}"#,
                "Invalid request: payload and typedPayload cannot be used together",
            ),
            (
                r#"{"operation":"read","payload":{}}"#,
                "Invalid request: tableName should be a string, but is missing",
            ),
            (
                r#"{"operation":"read","tableName":null,"payload":{}}"#,
                "Invalid request: tableName should be a string, but is null",
            ),
        ] {
            assert_eq!(problem(event), expected);
        }
    }
}
