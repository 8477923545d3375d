//! DynamoDB through AWS's SDK.
//!
//! The SDK resolves the endpoint, signs, sends, retries and reads errors. The bodies bypass it: its types keep maps
//! in hash maps, which lose the order of keys. So an interceptor puts in the text of each request, and another takes
//! out the text of each answer.

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
    checksum::{self, RetryDamaged},
    config::Config,
    failure::Failure,
    store::{Exchange, Refusal, Reply, Store},
};

/// How long connecting may take. Within a region it takes a few milliseconds.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long one attempt may take, connecting included. A scan reads 1 MB at most, which takes far less.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// How long all attempts together may take. It is shorter than the 10 s that the function has by default, so that
/// the caller gets a 503 and Lambda does not end the process.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(8);

/// The most attempts, the first included.
const ATTEMPTS: u32 = 4;

/// The longest wait before the second attempt. The SDK doubles it with each further one, and waits for a random part
/// of it. DynamoDB throttles by the second, so longer waits gain nothing while a caller waits too.
const FIRST_BACKOFF: Duration = Duration::from_millis(50);

/// The longest wait between any two attempts.
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

/// DynamoDB, reached through one client that keeps one connection.
#[derive(Clone, Debug)]
pub struct DynamoDb {
    /// The client, or which setting is missing: then every operation fails before it is sent.
    client: Result<Client, &'static str>,
}

impl DynamoDb {
    /// Makes the client, which connects when it is first used.
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
        // Ring, because the other provider gathers entropy for 30–40 ms at every start.
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .pool_max_idle_per_host(1)
        .build_https();
    let retries = RetryConfig::standard()
        .with_max_attempts(ATTEMPTS)
        .with_initial_backoff(FIRST_BACKOFF)
        .with_max_backoff(LONGEST_BACKOFF);
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
        .retry_classifier(RetryDamaged)
        .timeout_config(timeouts);
    settings.set_endpoint_url(endpoint_url);
    Client::from_conf(settings.build())
}

impl Store for DynamoDb {
    async fn perform(&self, action: Action, table: &str, body: Vec<u8>) -> Result<Reply, Refusal> {
        let client = self.client.as_ref().map_err(|reason| Refusal {
            failure: Failure::internal("NotConfigured", reason),
            exchange: Exchange::default(),
        })?;
        let recorder = Recorder::default();
        let body = Bytes::from(body);
        // The table is told to the SDK as well, because an endpoint can depend on it.
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
        let sent = match action {
            Action::PutItem => send!(put_item),
            Action::GetItem => send!(get_item),
            Action::UpdateItem => send!(update_item),
            Action::DeleteItem => send!(delete_item),
            Action::Scan => send!(scan),
        };
        let Received { exchange, status, headers, body } = mem::take(&mut *recorder.received());
        match sent {
            Ok(()) => Ok(Reply { status, headers, body, exchange }),
            Err(failure) => Err(Refusal { failure, exchange }),
        }
    }
}

/// Replaces the body that the SDK has written by ours. Runs before the request is signed.
fn set_body(request: &mut HttpRequest, body: &Bytes) {
    request.headers_mut().insert("content-length", body.len().to_string());
    *request.body_mut() = SdkBody::from(body.clone());
}

/// Records each answer of DynamoDB as it arrives, and counts the attempts.
#[derive(Clone, Debug, Default)]
struct Recorder(Arc<Mutex<Received>>);

#[derive(Debug, Default)]
struct Received {
    exchange: Exchange,
    status: u16,
    headers: Vec<(String, String)>,
    body: Bytes,
}

impl Recorder {
    fn received(&self) -> MutexGuard<'_, Received> {
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
        self.received().exchange.attempts += 1;
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let mut received = self.received();
        received.status = response.status().as_u16();
        received.headers = headers(response);
        received.body = Bytes::copy_from_slice(response.body().bytes().unwrap_or_default());
        received.exchange.request_id = response.headers().get("x-amzn-requestid").map(str::to_owned);
        checksum::verify(response).map_err(BoxError::from)
    }
}

/// The headers of a response. Those of the same name become one, with their values joined as HTTP allows.
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

/// What the caller gets for an error of the SDK. It depends on the kind of error, the status and the code, never on
/// the text.
fn failure<E>(action: Action, error: &SdkError<E, HttpResponse>) -> Failure
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ServiceError(refusal) => {
            let status = refusal.raw().status().as_u16();
            let (code, message) = (refusal.err().code(), refusal.err().message().unwrap_or_default());
            match code {
                Some(code) if status < 500 => Failure::refused(action, code, message),
                Some(code) => Failure::unavailable(code, message),
                None => Failure::unavailable(&format!("DynamoDB answered HTTP {status}"), message),
            }
        }
        SdkError::ResponseError(response) => {
            let status = response.raw().status().as_u16();
            let reason = if checksum::is_damaged(error) {
                "DynamoDB's answer was damaged on its way".to_owned()
            } else {
                format!("DynamoDB answered HTTP {status}, which cannot be understood")
            };
            Failure::unavailable(&reason, &causes(error))
        }
        SdkError::TimeoutError(_) => Failure::unavailable("DynamoDB did not answer in time", &causes(error)),
        SdkError::DispatchFailure(_) => Failure::unavailable("DynamoDB cannot be reached", &causes(error)),
        // The request could not be built.
        _ => Failure::internal("RequestNotMade", &causes(error)),
    }
}

/// The messages of an error and of its causes. Their debug form would have the answer's body, which may be secret.
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
