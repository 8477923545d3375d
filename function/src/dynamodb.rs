//! Implements [`Store`] with AWS's SDK for DynamoDB.
//!
//! The SDK resolves the endpoint, signs, sends, retries and parses errors. It does not see the bodies, because its types
//! use hash maps, which lose the order of keys. One interceptor sets the body of each request, and another records
//! the body of each answer.

use std::{
    error::Error,
    fmt::Write,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    config::{
        BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents,
        http::{HttpRequest, HttpResponse},
        interceptors::{AfterDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextRef},
        retry::RetryConfig,
        timeout::TimeoutConfig,
    },
    error::{BoxError, ProvideErrorMetadata, SdkError},
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::{
    action::Action,
    checksum::{self, RetryChecksumMismatch},
    config::Config,
    failure::Failure,
    store::{Exchange, Reply, Store, StoreError},
};

/// The timeout for connecting. Within a region, connecting takes a few milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The timeout of one attempt, including connecting. A scan reads at most 1 MB, which takes far less.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// The timeout of all attempts together. It is shorter than the function's default timeout of 10 s, so that the caller
/// gets a 503 before Lambda ends the process.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// The maximum number of attempts, including the first.
const MAX_ATTEMPTS: u32 = 4;

/// The upper bound of the wait before the second attempt. The SDK doubles the bound for each further attempt and waits
/// for a random part of it. DynamoDB throttles per second, so longer waits only delay the caller.
const INITIAL_BACKOFF: Duration = Duration::from_millis(50);

/// The upper bound of every wait between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(1);

/// DynamoDB through one client that keeps one connection.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    /// The client, or a message that names the missing setting. Without a client every operation fails.
    client: Result<Client, &'static str>,
}

impl DynamoDb {
    /// Creates the client. It connects when it is first used.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let client = match (&config.region, &config.credentials) {
            (None, _) => Err("AWS_REGION is not set"),
            (_, None) => Err("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"),
            (Some(region), Some(credentials)) => Ok(client(region, credentials, config.endpoint_url.clone())),
        };
        Self { client }
    }
}

fn client(region: &str, credentials: &Credentials, endpoint_url: Option<String>) -> Client {
    let http_client = Builder::new()
        // aws-lc, the other provider, gathers entropy for 30–40 ms at every start.
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .pool_max_idle_per_host(1)
        .build_https();
    let retries = RetryConfig::standard()
        .with_max_attempts(MAX_ATTEMPTS)
        .with_initial_backoff(INITIAL_BACKOFF)
        .with_max_backoff(MAX_BACKOFF);
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(ATTEMPT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .operation_timeout(OPERATION_TIMEOUT)
        .build();
    let mut settings = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region.to_owned()))
        .credentials_provider(credentials.clone())
        .http_client(http_client)
        .retry_config(retries)
        .retry_classifier(RetryChecksumMismatch)
        .timeout_config(timeouts);
    settings.set_endpoint_url(endpoint_url);
    Client::from_conf(settings.build())
}

impl Store for DynamoDb {
    async fn perform(&self, action: Action, table: &str, body: Vec<u8>) -> Result<Reply, StoreError> {
        let client = self.client.as_ref().map_err(|reason| StoreError {
            failure: Failure::internal("NotConfigured", reason),
            exchange: Exchange::default(),
        })?;
        let recorder = Recorder::default();
        let body = Bytes::from(body);
        // The SDK needs the table's name, because the endpoint can depend on it.
        macro_rules! send {
            ($operation:ident) => {
                client
                    .$operation()
                    .table_name(table)
                    .customize()
                    .mutate_request(move |request| set_body(request, &body))
                    .interceptor(recorder.clone())
                    .send()
                    .await
                    .map(drop)
                    .map_err(|error| failure(action, &error))
            };
        }
        let result = match action {
            Action::PutItem => send!(put_item),
            Action::GetItem => send!(get_item),
            Action::UpdateItem => send!(update_item),
            Action::DeleteItem => send!(delete_item),
            Action::Scan => send!(scan),
        };
        let RecordedAnswer { exchange, status, headers, body } = mem::take(&mut *recorder.recorded());
        match result {
            Ok(()) => Ok(Reply { status, headers, body, exchange }),
            Err(failure) => Err(StoreError { failure, exchange }),
        }
    }
}

/// Replaces the body that the SDK has written. Runs before the request is signed.
fn set_body(request: &mut HttpRequest, body: &Bytes) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body.clone());
}

/// Records the last answer of DynamoDB and counts the attempts.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<RecordedAnswer>>);

#[derive(Debug, Default)]
struct RecordedAnswer {
    exchange: Exchange,
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Recorder {
    fn recorded(&self) -> MutexGuard<'_, RecordedAnswer> {
        // The lock cannot be poisoned: nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.recorded().exchange.attempts += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let mut recorded = self.recorded();
        recorded.status = response.status().as_u16();
        recorded.headers = headers(response);
        recorded.body = Bytes::copy_from_slice(response.body().bytes().unwrap_or_default());
        recorded.exchange.request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
        checksum::verify(response).map_err(BoxError::from)
    }
}

/// Returns the headers of a response. Headers of the same name become one, with their values joined by commas.
fn headers(response: &HttpResponse) -> Vec<(String, String)> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in response.headers().iter_bytes() {
        let value = String::from_utf8_lossy(value);
        match headers.iter_mut().find(|(earlier, _)| earlier == name) {
            Some((_, values)) => *values = format!("{values}, {value}"),
            None => headers.push((name.to_owned(), value.into_owned())),
        }
    }
    headers
}

/// Converts an error of the SDK into the failure that the caller gets. The result depends on the kind of error, the
/// status and the code, never on the text.
fn failure<E>(action: Action, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(error) => {
            let status = error.raw().status().as_u16();
            let (code, message) = (error.err().code(), error.err().message().unwrap_or_default());
            match code {
                Some(code) if status < 500 => Failure::from_dynamodb(action, code, message),
                Some(code) => Failure::unavailable(code, message),
                None => Failure::unavailable(&format!("DynamoDB answered HTTP {status}"), message),
            }
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let reason = if checksum::is_mismatch(error) {
                "DynamoDB's answer does not match its checksum".to_owned()
            } else {
                format!("DynamoDB answered HTTP {status} with a malformed body")
            };
            Failure::unavailable(&reason, &causes(error))
        }
        SdkError::TimeoutError(_) => Failure::unavailable("DynamoDB did not answer in time", &causes(error)),
        SdkError::DispatchFailure(_) => Failure::unavailable("DynamoDB cannot be reached", &causes(error)),
        // The request could not be built.
        _ => Failure::internal("RequestNotMade", &causes(error)),
    }
}

/// Returns the messages of an error and of its causes. Their debug format would contain the body of the answer, which
/// may be secret.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        cause = error.source();
    }
    text
}
