//! Which calls the clients retry, and which target is the local AWS.

mod malformed_responses;

use super::*;
use crate::testing::{scope, wire};
use aws_sdk_sts::config::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use std::sync::{Arc, Mutex};

/// A connector that gives these responses, from the last to the first.
#[derive(Clone, Debug)]
struct ScriptedConnector(Arc<Mutex<Vec<HttpResponse>>>);

impl HttpConnector for ScriptedConnector {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.0.lock().unwrap().pop().unwrap()))
    }
}

/// Returns the clients as the program builds them, with this connector.
fn clients(connector: impl HttpConnector + 'static, retries: RetryConfig, access: AccessMode) -> Aws {
    let credentials = Credentials::new("a", "b", None, None, "test");
    let http = Http::from_connector(connector);
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http.sdk_client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retries)
        .build();
    Aws::from_config(&sdk, scope(), None, http, access)
}

fn scripted(responses: Vec<HttpResponse>) -> (Aws, ScriptedConnector) {
    let script = ScriptedConnector(Arc::new(Mutex::new(responses)));
    (clients(script.clone(), attempts(3), AccessMode::ReadWrite), script)
}

fn server_error() -> HttpResponse {
    wire::json(500, "ServiceException", "down")
}

async fn error_code(aws: &Aws) -> String {
    let result = aws.lambda.get_function().function_name("lab").send().await;
    AwsError::new("lambda:GetFunction", &result.unwrap_err()).code
}

#[tokio::test(start_paused = true)]
async fn the_sdk_retries_server_errors_and_no_refusals() {
    for (status, code) in [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
    ] {
        let refusal = || wire::json(status, code, "no");
        let (aws, script) = scripted(vec![refusal(), refusal(), server_error()]);
        assert_eq!(error_code(&aws).await, code);
        assert_eq!(script.0.lock().unwrap().len(), 1, "{code}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sdk_has_no_retry_quota() {
    let calls = 200;
    let (aws, script) = scripted((0..calls * 3).map(|_| server_error()).collect());
    for _ in 0..calls {
        assert_eq!(error_code(&aws).await, "ServiceException");
    }
    assert_eq!(script.0.lock().unwrap().len(), 0, "each call was made three times");
}

#[test]
fn a_loopback_endpoint_is_not_the_local_aws() {
    let target = AwsTarget { endpoint_url: Some("http://127.0.0.1:4566".to_owned()), ..AwsTarget::default() };
    assert!(!target.is_local());
    assert!(AwsTarget { local: true, ..target }.is_local());
}
