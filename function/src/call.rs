//! Writes a call as the body of a request to DynamoDB, and DynamoDB's reply as the answer to the caller.

use serde::{Serialize, Serializer, ser::SerializeMap};

use crate::{
    action::{Field, Shape},
    attribute::{Notation, Plain, Typed},
    event::Call,
    failure::Failure,
    json::{self, Json},
    store::Reply,
    validation,
};

/// Checks the parameters of a call and writes the body of its request.
///
/// # Errors
///
/// A `ParamValidationError` that lists all problems.
pub(crate) fn request_body(call: &Call<'_>) -> Result<Vec<u8>, Failure> {
    let problems = validation::find_problems(call);
    if !problems.is_empty() {
        return Err(Failure::invalid_parameters(&problems));
    }
    serde_json::to_vec(&Parameters(call))
        .map_err(|error| Failure::internal("RequestNotWritten", &error.to_string()))
}

/// Writes the answer to a call: the known members of DynamoDB's reply, then `ResponseMetadata`.
///
/// # Errors
///
/// A `ServiceUnavailable` if the reply cannot be parsed. A write has been performed nevertheless.
pub(crate) fn answer(call: &Call<'_>, reply: &Reply) -> Result<String, Failure> {
    let unreadable = |error: &dyn std::error::Error| {
        Failure::unavailable("DynamoDB's answer is malformed", &error.to_string())
    };
    let body = json::parse(&reply.body).map_err(|error| unreadable(&error))?;
    let answer = AnswerBody { call, body: &body, reply };
    serde_json::to_string(&answer).map_err(|error| unreadable(&error))
}

struct Parameters<'j>(&'j Call<'j>);

impl Serialize for Parameters<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(table) = self.0.table {
            map.serialize_entry("TableName", table)?;
        }
        let conversion = match self.0.notation {
            Notation::Plain => Conversion::ToTyped,
            Notation::Typed => Conversion::None,
        };
        let fields = Fields { known: self.0.action.parameters(), value: self.0.payload, conversion };
        fields.serialize_into::<S>(&mut map)?;
        map.end()
    }
}

struct AnswerBody<'j> {
    call: &'j Call<'j>,
    body: &'j Json<'j>,
    reply: &'j Reply,
}

impl Serialize for AnswerBody<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let conversion = match self.call.notation {
            Notation::Plain => Conversion::ToPlain,
            Notation::Typed => Conversion::None,
        };
        let fields = Fields { known: self.call.action.output_members(), value: self.body, conversion };
        fields.serialize_into::<S>(&mut map)?;
        map.serialize_entry("ResponseMetadata", &Metadata::new(self.reply))?;
        map.end()
    }
}

/// `ResponseMetadata`, with the same members as in boto3.
#[derive(Serialize)]
struct Metadata<'r> {
    #[serde(rename = "RequestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<&'r str>,
    #[serde(rename = "HTTPStatusCode")]
    status: u16,
    #[serde(rename = "HTTPHeaders", serialize_with = "as_object")]
    headers: &'r [(String, String)],
    #[serde(rename = "RetryAttempts")]
    retries: u32,
}

impl<'r> Metadata<'r> {
    fn new(reply: &'r Reply) -> Self {
        Self {
            request_id: reply.exchange.request_id.as_deref(),
            status: reply.status,
            headers: &reply.headers,
            retries: reply.exchange.attempts.saturating_sub(1),
        }
    }
}

fn as_object<S: Serializer>(pairs: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

/// How attribute values are converted.
#[derive(Clone, Copy)]
enum Conversion {
    ToTyped,
    ToPlain,
    None,
}

/// The known members of a structure, in the order of `known`. A null member counts as absent, unless it is an attribute
/// value.
struct Fields<'j> {
    known: &'static [Field],
    value: &'j Json<'j>,
    conversion: Conversion,
}

impl Fields<'_> {
    fn serialize_into<S: Serializer>(&self, map: &mut S::SerializeMap) -> Result<(), S::Error> {
        for field in self.known {
            match self.value.get(field.name) {
                None => {}
                Some(Json::Null) if !matches!(field.shape, Shape::Attribute) => {}
                Some(value) => {
                    let converted = Converted { shape: &field.shape, value, conversion: self.conversion };
                    map.serialize_entry(field.name, &converted)?;
                }
            }
        }
        Ok(())
    }
}

/// Serializes a value and converts the attribute values in it.
struct Converted<'j> {
    shape: &'static Shape,
    value: &'j Json<'j>,
    conversion: Conversion,
}

impl Serialize for Converted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { shape, value, conversion } = *self;
        match (shape, value) {
            (Shape::Attribute, value) => match conversion {
                Conversion::ToTyped => Typed(value).serialize(serializer),
                Conversion::ToPlain => Plain(value).serialize(serializer),
                Conversion::None => value.serialize(serializer),
            },
            (Shape::Map(shape), Json::Object(members)) => serializer
                .collect_map(members.iter().map(|(key, value)| (key, Self { shape, value, conversion }))),
            (Shape::List { element: shape, .. }, Json::Array(values)) => {
                serializer.collect_seq(values.iter().map(|value| Self { shape, value, conversion }))
            }
            (Shape::Structure(fields), value @ Json::Object(_)) => {
                let mut map = serializer.serialize_map(None)?;
                Fields { known: fields, value, conversion }.serialize_into::<S>(&mut map)?;
                map.end()
            }
            (_, value) => value.serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{action::Action, event::Request, store::Exchange};

    fn body(event: &str) -> Result<String, Failure> {
        let event = json::parse(event.as_bytes()).unwrap();
        let call = Request::from_event(&event).unwrap().into_call();
        request_body(&call).map(|body| String::from_utf8(body).unwrap())
    }

    fn answer_to(action: Action, body: &str) -> Result<String, Failure> {
        answer_in(Notation::Plain, action, body)
    }

    fn answer_in(notation: Notation, action: Action, body: &str) -> Result<String, Failure> {
        let call = Call { action, table: None, payload: &Json::Null, notation };
        let headers = vec![("x-amzn-requestid".to_owned(), "ID".to_owned())];
        let exchange = Exchange { attempts: 2, request_id: Some("ID".to_owned()) };
        answer(&call, &Reply { status: 200, headers, body: body.as_bytes().to_vec().into(), exchange })
    }

    const METADATA: &str = r#""ResponseMetadata":{"RequestId":"ID","HTTPStatusCode":200,"HTTPHeaders":{"x-amzn-requestid":"ID"},"RetryAttempts":1}}"#;

    #[test]
    fn converts_attribute_values_at_every_depth() {
        assert_eq!(
            body(r#"{"operation":"update","tableName":"t","payload":{"Key":{"id":"1"},"ReturnValues":"NONE","AttributeUpdates":{"n":{"Action":"ADD","Value":1.50}},"Expected":{"a":{"AttributeValueList":[{"S":"x"}]}}}}"#).unwrap(),
            r#"{"TableName":"t","Key":{"id":{"S":"1"}},"AttributeUpdates":{"n":{"Value":{"N":"1.50"},"Action":"ADD"}},"Expected":{"a":{"AttributeValueList":[{"M":{"S":{"S":"x"}}}]}},"ReturnValues":"NONE"}"#
        );
        assert_eq!(
            body(r##"{"operation":"list","tableName":"t","payload":{"TableName":"u","Limit":1,"ConsistentRead":true,"ExpressionAttributeNames":{"#a":"a"},"ExclusiveStartKey":{"id":1}}}"##).unwrap(),
            r##"{"TableName":"u","Limit":1,"ExclusiveStartKey":{"id":{"N":"1"}},"ExpressionAttributeNames":{"#a":"a"},"ConsistentRead":true}"##
        );
    }

    #[test]
    fn passes_typed_json_on_unchanged() {
        let values = r#"{"t":{"SS":["b","a"]},"n":{"NS":["1","2.50"]},"b":{"B":"AA=="},"m":{"M":{"x":{"BS":["AA=="]},"y":{"NULL":true}}}}"#;
        assert_eq!(
            body(&format!(r#"{{"operation":"update","tableName":"t","typedPayload":{{"Key":{{"id":{{"B":"AA=="}}}},"UpdateExpression":"ADD tags :t","ExpressionAttributeValues":{values}}}}}"#)).unwrap(),
            format!(r#"{{"TableName":"t","Key":{{"id":{{"B":"AA=="}}}},"UpdateExpression":"ADD tags :t","ExpressionAttributeValues":{values}}}"#)
        );
        for (action, before, after) in
            [(Action::GetItem, r#"{"Item":"#, "}"), (Action::Scan, r#"{"Items":["#, "]}")]
        {
            let reply = format!("{before}{values}{after}");
            let answer = answer_in(Notation::Typed, action, &reply).unwrap();
            assert_eq!(answer, format!("{},{METADATA}", &reply[..reply.len() - 1]));
        }
    }

    #[test]
    fn reports_all_problems_in_one_line() {
        let failure = body(r#"{"operation":"create","tableName":"","payload":{"Foo":1}}"#).unwrap_err();
        assert_eq!((failure.status, failure.error_type.as_ref()), (400, "ParamValidationError"));
        assert!(failure.message.starts_with(
            r#"Parameter validation failed: Missing required parameter in input: "Item"; Unknown parameter in input: "Foo", must be one of: TableName, Item,"#
        ));
        assert!(
            failure
                .message
                .ends_with("; Invalid length for parameter TableName, value: 0, valid min length: 1")
        );
    }

    #[test]
    fn answers_have_the_known_members_in_a_fixed_order() {
        assert_eq!(
            answer_to(Action::Scan, r#"{"ScannedCount":2,"New":1,"Items":[{"z":{"N":"1E+2"},"a":{"SS":["x"]}}],"ConsumedCapacity":{"CapacityUnits":1},"Count":1,"LastEvaluatedKey":{"id":{"B":"AA=="}}}"#).unwrap(),
            format!(r#"{{"Items":[{{"z":1E+2,"a":["x"]}}],"Count":1,"ScannedCount":2,"LastEvaluatedKey":{{"id":"AA=="}},"ConsumedCapacity":{{"CapacityUnits":1}},{METADATA}"#)
        );
        assert_eq!(
            answer_to(Action::DeleteItem, r#"{"Attributes":null,"ItemCollectionMetrics":{"SizeEstimateRangeGB":[0.0,1.0],"ItemCollectionKey":{"pk":{"S":"p"}}}}"#).unwrap(),
            format!(r#"{{"ItemCollectionMetrics":{{"ItemCollectionKey":{{"pk":"p"}},"SizeEstimateRangeGB":[0.0,1.0]}},{METADATA}"#)
        );
        assert_eq!(answer_to(Action::GetItem, "{}").unwrap(), format!("{{{METADATA}"));
    }

    #[test]
    fn a_malformed_answer_is_a_503() {
        for malformed in ["<html>", "", r#"{"Item":{"a":{"S":5}}}"#] {
            assert_eq!(answer_to(Action::GetItem, malformed).unwrap_err().status, 503, "{malformed}");
        }
    }
}
