//! What the clients repeat, where the stack answers, and what is the local AWS.

mod answers;

use super::*;
use crate::testing::{scope, wire};
use aws_sdk_sts::config::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use std::sync::{Arc, Mutex};

/// Answers that are still to be given, from the last to the first.
#[derive(Clone, Debug)]
struct Script(Arc<Mutex<Vec<HttpResponse>>>);

impl HttpConnector for Script {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::ready(Ok(self.0.lock().unwrap().pop().unwrap()))
    }
}

/// The clients as they are in the program, before somebody who answers like this.
fn before(connector: impl HttpConnector + 'static, retries: RetryConfig, access: Access) -> Aws {
    let credentials = Credentials::new("a", "b", None, None, "test");
    let http = Http::over(connector);
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .http_client(http.sdk_client())
        .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
        .retry_config(retries)
        .build();
    Aws::with(&sdk, scope(), None, http, access)
}

fn answering(answers: Vec<HttpResponse>) -> (Aws, Script) {
    let script = Script(Arc::new(Mutex::new(answers)));
    (before(script.clone(), attempts(3), Access::ReadWrite), script)
}

fn broken() -> HttpResponse {
    wire::json(500, "ServiceException", "down")
}

async fn code(aws: &Aws) -> String {
    let answer = aws.lambda.get_function().function_name("lab").send().await;
    AwsError::new("lambda:GetFunction", &answer.unwrap_err()).code
}

#[tokio::test(start_paused = true)]
async fn the_sdk_repeats_what_broke_and_nothing_that_was_refused() {
    for (status, code_of_it) in [
        (429, "TooManyRequestsException"),
        (400, "LimitExceededException"),
        (403, "AccessDeniedException"),
        (404, "ResourceNotFoundException"),
    ] {
        let refusal = || wire::json(status, code_of_it, "no");
        let (aws, script) = answering(vec![refusal(), refusal(), broken()]);
        assert_eq!(code(&aws).await, code_of_it);
        assert_eq!(script.0.lock().unwrap().len(), 1, "{code_of_it}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_sdks_retry_quota_is_not_drained() {
    let calls = 200;
    let (aws, script) = answering((0..calls * 3).map(|_| broken()).collect());
    for _ in 0..calls {
        assert_eq!(code(&aws).await, "ServiceException");
    }
    assert_eq!(script.0.lock().unwrap().len(), 0, "each was made three times");
}

#[test]
fn an_endpoint_on_this_machine_is_not_the_local_aws() {
    let target = Target { endpoint_url: Some("http://127.0.0.1:4566".to_owned()), ..Target::default() };
    assert!(!target.is_local());
    assert!(Target { local: true, ..target }.is_local());
}
