//! Handles one event: turns its bytes into the text of the answer. [`Store`] hides the network.

use serde::Serialize;

use crate::{
    call,
    event::{Call, Request},
    failure::Failure,
    json::{self, Json},
    proxy::{self, HttpResponse},
    store::{Exchange, Store},
};

/// The maximum size of the answer to a synchronous invocation, in bytes. Lambda replaces a larger answer by an error that
/// matches no pattern, so API Gateway would answer 200. See
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>.
const MAX_ANSWER_BYTES: usize = 6 * 1024 * 1024;

/// The result of handling an event.
#[derive(Debug)]
pub struct Outcome {
    /// The answer as JSON text, or the error that fails the invocation. Lambda gets it.
    pub response: Result<String, Failure>,
    /// The description of the invocation. The log gets it.
    pub report: Report,
}

/// The description of an invocation for the log. It never contains data of the event or of the answer, which may be
/// secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The operation's name, if it is one of the seven.
    pub operation: Option<&'static str>,
    /// The table's name, if the event has one.
    pub table: Option<String>,
    /// The failure, if there was one. A failed proxy event gets an HTTP response nevertheless.
    pub failure: Option<Failure>,
    /// The exchange with DynamoDB, if there was one.
    pub exchange: Option<Exchange>,
}

/// Handles an event, which may be any bytes. An error matches exactly one pattern of
/// [`ERROR_RESPONSES`](crate::ERROR_RESPONSES).
pub async fn handle(store: &impl Store, event: &[u8]) -> Outcome {
    let mut report = Report::default();
    let response = match parse(event) {
        Ok(event) if proxy::is_proxy(&event) => handle_proxy_event(store, &event, &mut report).await,
        Ok(event) => {
            let answer = perform(store, &event, &mut report).await;
            answer.and_then(|answer| check_size(answer, &report))
        }
        Err(failure) => Err(failure),
    };
    if let Err(failure) = &response {
        report.failure = Some(failure.clone());
    }
    Outcome { response, report }
}

/// Handles a proxy event. Its errors are HTTP responses too, so that the invocation succeeds.
async fn handle_proxy_event(
    store: &impl Store,
    event: &Json<'_>,
    report: &mut Report,
) -> Result<String, Failure> {
    let answer = perform_proxy_body(store, event, report).await;
    answer.and_then(|answer| http_response(200, &answer, report)).or_else(|failure| {
        let response = http_response(failure.status, &write(&failure)?, report);
        report.failure = Some(failure);
        response
    })
}

async fn perform_proxy_body(
    store: &impl Store,
    event: &Json<'_>,
    report: &mut Report,
) -> Result<String, Failure> {
    let body = proxy::body(event)?;
    let request = parse(&body)?;
    perform(store, &request, report).await
}

fn parse(text: &[u8]) -> Result<Json<'_>, Failure> {
    json::parse(text).map_err(|error| Failure::invalid_request(&format!("the event is not JSON: {error}")))
}

async fn perform(store: &impl Store, event: &Json<'_>, report: &mut Report) -> Result<String, Failure> {
    match Request::from_event(event)? {
        Request::Ping => {
            report.operation = Some("ping");
            Ok("\"pong\"".to_owned())
        }
        Request::Echo(payload) => {
            report.operation = Some("echo");
            write(payload.unwrap_or(&Json::Null))
        }
        Request::Call(call) => {
            report.operation = Some(call.operation());
            report.table = call.table_name().map(str::to_owned);
            perform_call(store, &call, report).await
        }
    }
}

async fn perform_call(store: &impl Store, call: &Call<'_>, report: &mut Report) -> Result<String, Failure> {
    let body = call::request_body(call)?;
    let table = call.table_name().unwrap_or_default();
    match store.perform(call.action, table, body).await {
        Ok(reply) => {
            report.exchange = Some(reply.exchange.clone());
            call::answer(call, &reply)
        }
        Err(error) => {
            report.exchange = Some(error.exchange);
            Err(error.failure)
        }
    }
}

/// Refuses an answer that is too large for Lambda, and tells the caller how to get a smaller one.
fn check_size(answer: String, report: &Report) -> Result<String, Failure> {
    if answer.len() <= MAX_ANSWER_BYTES {
        return Ok(answer);
    }
    let advice = match report.operation {
        Some("list") => "; use Limit or ProjectionExpression to get a smaller one",
        Some("read") => "; use ProjectionExpression to get a smaller one",
        Some("create" | "update" | "delete") => {
            "; the write was performed, and without ReturnValues the answer is small"
        }
        _ => "",
    };
    let reason = format!(
        "AnswerTooLarge: the answer has {} bytes, but Lambda accepts at most {MAX_ANSWER_BYTES}{advice}",
        answer.len()
    );
    Err(Failure::internal(&reason, ""))
}

fn http_response(status: u16, body: &str, report: &Report) -> Result<String, Failure> {
    write(&HttpResponse::new(status, body)).and_then(|response| check_size(response, report))
}

fn write(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(value).map_err(|error| Failure::unserializable_answer(&error))
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::ready};

    use super::*;
    use crate::{
        action::Action,
        store::{Reply, StoreError},
    };

    /// Answers every operation with the same text and records the requests. An empty text stands for throttling.
    #[derive(Default)]
    struct CannedStore {
        answer: String,
        requests: RefCell<Vec<String>>,
    }

    impl Store for CannedStore {
        fn perform(
            &self,
            action: Action,
            table: &str,
            body: Vec<u8>,
        ) -> impl Future<Output = Result<Reply, StoreError>> {
            let body = String::from_utf8(body).unwrap();
            self.requests.borrow_mut().push(format!("{} {table} {body}", action.name()));
            let exchange = Exchange { attempts: 1, request_id: None };
            ready(match self.answer.as_str() {
                "" => Err(StoreError {
                    failure: Failure::from_dynamodb(action, "ThrottlingException", "slow"),
                    exchange,
                }),
                body => {
                    Ok(Reply { status: 200, headers: Vec::new(), body: body.to_owned().into(), exchange })
                }
            })
        }
    }

    async fn outcome(store: &CannedStore, event: &str) -> Outcome {
        handle(store, event.as_bytes()).await
    }

    #[tokio::test]
    async fn sends_a_read_to_its_table_and_answers() {
        let store =
            CannedStore { answer: r#"{"Item":{"id":{"N":"1.0"}}}"#.to_owned(), ..CannedStore::default() };
        let event = r#"{"operation":"read","tableName":"a","payload":{"TableName":"b","Key":{"id":1}}}"#;
        let Outcome { response, report } = outcome(&store, event).await;
        assert_eq!(
            response.unwrap(),
            r#"{"Item":{"id":1.0},"ResponseMetadata":{"HTTPStatusCode":200,"HTTPHeaders":{},"RetryAttempts":0}}"#
        );
        assert_eq!(store.requests.take(), [r#"GetItem b {"TableName":"b","Key":{"id":{"N":"1"}}}"#]);
        assert_eq!(
            (report.operation, report.table.as_deref(), report.failure),
            (Some("read"), Some("b"), None)
        );
    }

    #[tokio::test]
    async fn an_error_of_dynamodb_fails_the_invocation_and_is_logged() {
        let store = CannedStore::default();
        let Outcome { response, report } =
            outcome(&store, r#"{"operation":"list","tableName":"t","payload":{}}"#).await;
        let failure = response.unwrap_err();
        assert_eq!(failure.status, 429);
        assert_eq!(report.failure, Some(failure));
        assert_eq!(report.exchange.map(|exchange| exchange.attempts), Some(1));
    }

    #[tokio::test]
    async fn does_not_send_wrong_parameters() {
        let store = CannedStore::default();
        let failure =
            outcome(&store, r#"{"operation":"create","tableName":"t","payload":{}}"#).await.response;
        assert_eq!(failure.unwrap_err().error_type, "ParamValidationError");
        assert!(store.requests.take().is_empty());
    }

    #[tokio::test]
    async fn an_answer_over_lambdas_limit_is_an_error() {
        let page = format!(r#"{{"Items":[{{"id":{{"S":"{}"}}}}]}}"#, "x".repeat(MAX_ANSWER_BYTES));
        let store = CannedStore { answer: page, ..CannedStore::default() };
        let list = r#"{"operation":"list","tableName":"t","payload":{}}"#;
        let failure = outcome(&store, list).await.response.unwrap_err();
        assert_eq!(
            failure.message,
            "Internal error: AnswerTooLarge: the answer has 6291554 bytes, but Lambda accepts at most 6291456; use Limit or ProjectionExpression to get a smaller one"
        );
        let attributes = format!(r#"{{"Attributes":{{"id":{{"S":"{}"}}}}}}"#, "x".repeat(MAX_ANSWER_BYTES));
        let store = CannedStore { answer: attributes, ..CannedStore::default() };
        let update = r#"{"operation":"update","tableName":"t","payload":{"Key":{"id":"1"}}}"#;
        let failure = outcome(&store, update).await.response.unwrap_err();
        assert!(failure.message.contains("; the write was performed"), "{}", failure.message);

        // A proxy response escapes the quotes of the body again, so it can be too large although the answer is not.
        let quotes =
            format!(r#"{{"operation":"echo","payload":"{}"}}"#, r#"\""#.repeat(MAX_ANSWER_BYTES / 4));
        let body = serde_json::to_string(&quotes).unwrap();
        let Outcome { response, report } =
            outcome(&store, &format!(r#"{{"requestContext":{{}},"body":{body}}}"#)).await;
        assert!(response.unwrap().contains(r#""statusCode":500"#));
        assert_eq!(report.failure.map(|failure| failure.status), Some(500));
    }
}
