//! What tests share: clients that answer by script, a recorder of events, and a way to take one resource through one
//! call. Time is paused by the tests (`start_paused`), so no wait takes any.

pub(crate) mod effects;
mod fuzz;
pub(crate) mod gateway;
pub(crate) mod script;

use crate::aws::{Aws, one_attempt};
use crate::engine::{
    Applied, Change, Declared, Engine, Event, Id, Impact, Mode, ObservedOf, Record, Reporter, Step,
};
use crate::error::{AwsError, CommandLine, Error, Result, Verb};
use crate::http::Http;
use crate::manifest::{Auth, ErrorResponses, IntegrationKind, Route};
use crate::names::Scope;
use crate::time::Stop;
use aws_sdk_iam::config::Intercept;
use aws_smithy_mocks::{Rule, RuleMode, mock_client};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::time::Instant;

/// Where the stack of every test lives.
pub(crate) fn scope() -> Scope {
    Scope {
        partition: "aws".to_owned(),
        account: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        stack: "lab".to_owned(),
        more_tags: crate::names::Tags::new(),
    }
}

/// `deployer up`, without any flag.
pub(crate) fn command_line() -> CommandLine {
    CommandLine::new(Verb::Up, Vec::new(), Vec::new())
}

/// What `deployer up` says about an error.
pub(crate) fn hints(error: &Error) -> Vec<String> {
    command_line().hints(error)
}

/// A reporter that only remembers.
#[derive(Debug, Default)]
pub(crate) struct Recorder(RefCell<Vec<Event>>);

impl Recorder {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.0.borrow().clone()
    }

    /// The reasons of all waits, in order, each as often as it was waited for. Pacing has tests of its own.
    pub(crate) fn waits(&self) -> Vec<&'static str> {
        let reason = |event: &Event| match event {
            Event::Waiting { reason, .. } if !reason.contains(" limit of ") => Some(*reason),
            _ => None,
        };
        self.0.borrow().iter().filter_map(reason).collect()
    }
}

impl Reporter for Recorder {
    fn event(&self, event: Event) {
        self.0.borrow_mut().push(event);
    }
}

/// Writes down which operations are called, in order, whatever the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Calls {
    fn name(&self) -> &'static str {
        "Calls"
    }

    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let name = cfg.load::<Metadata>().unwrap().name().to_owned();
        self.0.lock().unwrap().push(name);
        Ok(())
    }
}

/// A client that answers by the first rule that fits and is not used up. The SDK's own retries are off, so that each
/// call that is counted was decided on here.
macro_rules! scripted {
    ($sdk:ident, $world:expr, $rules:expr) => {{
        let (calls, sent) = ($world.calls.clone(), $world.sent.clone());
        mock_client!($sdk, RuleMode::MatchAny, $rules, |config| {
            config.retry_config(one_attempt()).interceptor(calls.clone()).interceptor(sent.clone())
        })
    }};
}

/// AWS by script. A client without a script panics when it is called.
pub(crate) struct World {
    pub(crate) aws: Aws,
    pub(crate) recorder: Recorder,
    pub(crate) stop: Stop,
    pub(crate) sent: script::Sent,
    calls: Calls,
}

impl World {
    pub(crate) fn new() -> Self {
        let nothing: [&Rule; 0] = [];
        let aws = Aws {
            apigateway: mock_client!(aws_sdk_apigateway, RuleMode::Sequential, nothing),
            autoscaling: mock_client!(aws_sdk_applicationautoscaling, RuleMode::Sequential, nothing),
            dynamodb: mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, nothing),
            iam: mock_client!(aws_sdk_iam, RuleMode::Sequential, nothing),
            lambda: mock_client!(aws_sdk_lambda, RuleMode::Sequential, nothing),
            logs: mock_client!(aws_sdk_cloudwatchlogs, RuleMode::Sequential, nothing),
            tagging: mock_client!(aws_sdk_resourcegroupstagging, RuleMode::Sequential, nothing),
            scope: scope(),
            endpoint_url: None,
            http: Http::new(Duration::from_secs(1), &crate::http::NetworkSettings::default()).unwrap(),
            rate_limiter: crate::aws::rate_limiter::RateLimiter::default(),
            clock: crate::aws::AwsClock::default(),
        };
        Self {
            aws,
            recorder: Recorder::default(),
            stop: Stop::default(),
            sent: script::Sent::default(),
            calls: Calls::default(),
        }
    }

    pub(crate) fn with_apigateway(mut self, rules: &[Rule]) -> Self {
        self.aws.apigateway = scripted!(aws_sdk_apigateway, self, rules);
        self
    }

    pub(crate) fn with_autoscaling(mut self, rules: &[Rule]) -> Self {
        self.aws.autoscaling = scripted!(aws_sdk_applicationautoscaling, self, rules);
        self
    }

    pub(crate) fn with_dynamodb(mut self, rules: &[Rule]) -> Self {
        self.aws.dynamodb = scripted!(aws_sdk_dynamodb, self, rules);
        self
    }

    pub(crate) fn with_iam(mut self, rules: &[Rule]) -> Self {
        self.aws.iam = scripted!(aws_sdk_iam, self, rules);
        self
    }

    pub(crate) fn with_lambda(mut self, rules: &[Rule]) -> Self {
        self.aws.lambda = scripted!(aws_sdk_lambda, self, rules);
        self
    }

    pub(crate) fn with_logs(mut self, rules: &[Rule]) -> Self {
        self.aws.logs = scripted!(aws_sdk_cloudwatchlogs, self, rules);
        self
    }

    pub(crate) fn with_tagging(mut self, rules: &[Rule]) -> Self {
        self.aws.tagging = scripted!(aws_sdk_resourcegroupstagging, self, rules);
        self
    }

    /// The operations that scripted clients were asked for, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.0.lock().unwrap().clone()
    }

    /// Those of them that change something.
    pub(crate) fn mutations(&self) -> Vec<String> {
        let is_read = |name: &str| ["Get", "List", "Describe"].iter().any(|read| name.starts_with(read));
        self.calls().into_iter().filter(|name| !is_read(name)).collect()
    }

    pub(crate) fn engine(&self, mode: Mode) -> Engine<'_> {
        Engine::new(&self.aws, &self.recorder, &self.stop, mode, Instant::now() + Duration::from_secs(3600))
    }

    /// Runs something that takes a step: `world.at(async |step| table.count_items(step).await)`.
    pub(crate) async fn at<T>(&self, work: impl AsyncFnOnce(&Step<'_>) -> Result<T>) -> Result<T> {
        self.engine(Mode::Apply).read(Id::new(crate::engine::Kind::SmokeTest, "test"), work).await
    }

    pub(crate) async fn observe<D: Declared>(&self, declared: &D) -> Result<Option<ObservedOf<D>>> {
        self.at(async |step| declared.observe(step).await).await
    }

    /// The whole step of a walk: observe, diff, and when applying, apply.
    pub(crate) async fn step<D: Declared>(
        &self,
        mode: Mode,
        declared: &D,
        needs: D::Needs,
    ) -> (Option<D::Output>, Record) {
        let go = self.engine(mode);
        let output = go.step(declared, async { Some(needs) }).await;
        (output, go.finish().remove(0))
    }

    /// Applies what differs from this observation, without a walk.
    pub(crate) async fn apply<D: Declared>(
        &self,
        declared: &D,
        needs: D::Needs,
        observed: Option<ObservedOf<D>>,
    ) -> Result<Applied<D::Output, ObservedOf<D>>> {
        let diff = declared.diff(Some(&needs), observed.as_ref());
        self.at(async |step| declared.apply(step, needs, observed, diff).await).await
    }

    /// The whole removal of a walk, of what exists under a declared name.
    pub(crate) async fn remove<D: Declared>(&self, mode: Mode, declared: &D) -> Record {
        let go = self.engine(mode);
        go.remove(declared.existing(), async { true }).await;
        go.finish().remove(0)
    }
}

/// A route of the function `f`.
pub(crate) fn route(method: &str, path: &str, auth: Auth) -> Route {
    Route {
        method: method.to_owned(),
        path: path.to_owned(),
        function: "f".to_owned(),
        integration: IntegrationKind::Aws,
        auth,
        timeout_ms: 29_000,
        error_responses: ErrorResponses::default(),
    }
}

/// The same changes without what they mean, for tests of what differs.
pub(crate) fn plain(mut changes: Vec<Change>) -> Vec<Change> {
    for change in &mut changes {
        if let Change::Update { impact, .. } = change {
            *impact = Impact::None;
        }
    }
    changes
}

/// Whether it is about this property.
pub(crate) fn is_about(change: &Change, property: &str) -> bool {
    match change {
        Change::Create | Change::Delete => false,
        Change::Update { field, .. } | Change::Replace { field, .. } | Change::Refused { field, .. } => {
            field == property
        }
    }
}

/// A refusal of AWS's, for what never sees the wire.
pub(crate) fn refusal(code: &str, message: &str) -> AwsError {
    AwsError {
        operation: "lab:Make",
        code: code.to_owned(),
        message: message.to_owned(),
        request_id: None,
        status: Some(400),
        transport: None,
        retry_after: None,
        resource: None,
    }
}

/// AWS's refusals as they come over the wire, so that the SDK's own reading of them is tested too.
pub(crate) mod wire {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::http::StatusCode;
    use aws_smithy_types::body::SdkBody;

    /// IAM and STS speak XML. Codes are without the suffix `Exception`.
    pub(crate) fn xml(status: u16, code: &str, message: &str) -> HttpResponse {
        let body = format!(
            "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
             <RequestId>11111111-2222</RequestId></ErrorResponse>"
        );
        HttpResponse::new(status_of(status), SdkBody::from(body))
    }

    /// Lambda, API Gateway, `DynamoDB` and `CloudWatch` Logs speak JSON.
    pub(crate) fn json(status: u16, code: &str, message: &str) -> HttpResponse {
        let body = serde_json::json!({ "__type": code, "message": message }).to_string();
        let mut response = HttpResponse::new(status_of(status), SdkBody::from(body));
        response.headers_mut().insert("x-amzn-errortype", code.to_owned());
        response.headers_mut().insert("x-amzn-requestid", "11111111-2222");
        response
    }

    /// A body that JSON services answer with.
    pub(crate) fn done(body: &serde_json::Value) -> HttpResponse {
        HttpResponse::new(status_of(200), SdkBody::from(body.to_string()))
    }

    fn status_of(status: u16) -> StatusCode {
        StatusCode::try_from(status).unwrap()
    }
}
