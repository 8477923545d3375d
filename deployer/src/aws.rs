//! Every client, built once from one configuration. The only place that knows how AWS is reached.

mod clock;
mod credentials;

use crate::error::{AwsError, Error, Result};
use crate::http::Http;
use crate::names::Scope;
use crate::pace::Pace;
use crate::retry::{self, Stop};
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::imds::region::ImdsRegionProvider;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::retry::{ClassifyRetry, RetryAction, RetryPartition, TokenBucket};
use aws_sdk_sts::config::{Credentials, Intercept, SharedCredentialsProvider};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
pub(crate) use clock::Clock;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Long enough for another continent, short enough to say "unreachable" while somebody watches.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// A call that has no answer by then has lost it. A function's code of 50 MB on a slow line takes minutes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
const UPLOAD_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(600);

/// Region and account are found, or missed, within this time: a person waits.
const IDENTIFY_WITHIN: Duration = Duration::from_millis(4500);

/// The metadata service is on the instance's own host, and answers in milliseconds.
const METADATA_WITHIN: Duration = Duration::from_millis(1000);

/// How to reach AWS, as the person said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Where the stack is; otherwise the SDK's own chain decides.
    pub region: Option<String>,
    /// The named profile of the shared configuration.
    pub profile: Option<String>,
    /// Another endpoint than AWS's own, for every service.
    pub endpoint_url: Option<String>,
    /// Fixed dummy credentials, for the local AWS only.
    pub dummy_credentials: bool,
    /// More trusted certificates, as PEM (`AWS_CA_BUNDLE`).
    pub ca_bundle: Option<PathBuf>,
}

impl Target {
    /// Whether everything stays on this machine.
    pub(crate) fn is_local(&self) -> bool {
        self.endpoint_url.as_deref().is_some_and(is_loopback)
    }
}

/// Whether a URL leads to this machine, by its host as it is written: a name that merely resolves here may not
/// tomorrow.
pub(crate) fn is_loopback(url: &str) -> bool {
    let Some((_, rest)) = url.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a command may change anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Clients that refuse to send anything but reads.
    ReadOnly,
    /// Clients that send what they are told to.
    ReadWrite,
}

/// The clients, and where they lead.
pub(crate) struct Aws {
    pub(crate) apigateway: aws_sdk_apigateway::Client,
    pub(crate) autoscaling: aws_sdk_applicationautoscaling::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) iam: aws_sdk_iam::Client,
    pub(crate) lambda: aws_sdk_lambda::Client,
    pub(crate) logs: aws_sdk_cloudwatchlogs::Client,
    pub(crate) tagging: aws_sdk_resourcegroupstagging::Client,
    pub(crate) scope: Scope,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) http: Http,
    pub(crate) pace: Pace,
    pub(crate) clock: Clock,
}

impl Aws {
    /// Finds credentials, region and account. Each that is missing is named within 5 seconds; credentials that wait for
    /// a person are waited for, and `talk` says so.
    ///
    /// # Errors
    /// Each of the three that is missing, with what to do; an account that is not among `allowed_accounts` (empty
    /// allows all); Ctrl-C. No other call was made by then, so nothing was taken for "not found".
    pub(crate) async fn connect(
        target: &Target,
        stack: &str,
        allowed_accounts: &[String],
        access: Access,
        stop: &Stop,
        talk: impl FnOnce(&str),
    ) -> Result<Self> {
        let http = Http::new(CONNECT_TIMEOUT, target)?;
        let sdk = retry::at_most(IDENTIFY_WITHIN, sdk_config(target, &http)).await;
        let sdk = credentials::load(sdk.ok_or_else(no_region)??, target, stop, talk).await?;
        let region = sdk.region().map(ToString::to_string).ok_or_else(no_region)?;
        let sts = aws_sdk_sts::Client::from_conf(
            aws_sdk_sts::config::Builder::from(&sdk).retry_config(attempts(2)).build(),
        );
        let identity = retry::at_most(IDENTIFY_WITHIN, sts.get_caller_identity().send())
            .await
            .ok_or_else(|| unreachable(target, &region))?
            .map_err(|error| explain(AwsError::new("sts:GetCallerIdentity", &error), target, &region))?;
        let account = identity.account().unwrap_or_default().to_owned();
        if !allowed_accounts.is_empty() && !allowed_accounts.contains(&account) {
            return Err(Error::new(format!(
                "these credentials belong to account {account}, and the manifest allows only {}",
                allowed_accounts.join(", ")
            ))
            .hint("Choose other credentials with --profile, or change allowed-accounts in the manifest."));
        }
        // The caller's own ARN names the partition, so no list of regions is needed.
        let partition = identity.arn().and_then(|arn| arn.split(':').nth(1)).unwrap_or("aws").to_owned();
        let scope = Scope {
            partition,
            account,
            region,
            stack: stack.to_owned(),
            more_tags: crate::names::Tags::new(),
        };
        Ok(Self::with(&sdk, scope, target.endpoint_url.clone(), http, access))
    }

    fn with(sdk: &SdkConfig, scope: Scope, endpoint_url: Option<String>, http: Http, access: Access) -> Self {
        let guard = Guard(access);
        let clock = Clock::default();
        let retries = undrained();
        let upload = TimeoutConfig::builder().operation_attempt_timeout(UPLOAD_ATTEMPT_TIMEOUT).build();
        macro_rules! client {
            ($sdk:ident $(, $setting:ident($value:expr))*) => {
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(sdk)
                        .interceptor(guard.clone())
                        .interceptor(clock.clone())
                        .retry_partition(retries.clone())
                        .retry_classifier(Refused)
                        $(.$setting($value))*
                        .build(),
                )
            };
        }
        Self {
            apigateway: client!(aws_sdk_apigateway),
            autoscaling: client!(aws_sdk_applicationautoscaling),
            dynamodb: client!(aws_sdk_dynamodb),
            iam: client!(aws_sdk_iam),
            lambda: client!(aws_sdk_lambda, timeout_config(upload)),
            logs: client!(aws_sdk_cloudwatchlogs),
            tagging: client!(aws_sdk_resourcegroupstagging),
            scope,
            endpoint_url,
            http,
            pace: Pace::default(),
            clock,
        }
    }

    /// Where clients of a deployed API send a request for `path` (which starts with a slash).
    ///
    /// Behind another endpoint than AWS's, it is the form that local emulators of API Gateway share.
    pub(crate) fn invoke_url(&self, api_id: &str, stage: &str, path: &str) -> String {
        match &self.endpoint_url {
            Some(url) => {
                format!("{}/restapis/{api_id}/{stage}/_user_request_{path}", url.trim_end_matches('/'))
            }
            None => format!("https://{}/{stage}{path}", self.scope.execute_api_host(api_id)),
        }
    }
}

/// The SDK's blind retry, off: for the creates that AWS does not make unique, where a second try after a lost answer
/// would make a second one. The caller looks first.
pub(crate) fn one_attempt() -> RetryConfig {
    RetryConfig::disabled()
}

fn attempts(attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(attempts)
}

/// The SDK's retry quota would be used up by a spell of lost connections, and later calls would get no retries.
fn undrained() -> RetryPartition {
    RetryPartition::custom("deployer").token_bucket(TokenBucket::unlimited()).build()
}

/// What AWS refuses is not repeated by the SDK, only what did not get through or broke: `retry.rs` knows which refusals
/// pass, and says what it waits for. To the SDK, a quota that is full is too many requests, too.
#[derive(Debug)]
struct Refused;

impl ClassifyRetry for Refused {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|answer| answer.status().as_u16()) {
            Some(400..500) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "Refused"
    }
}

/// The newest behaviour version of the SDK in the lock file, reviewed when it changes, with what matters to us said
/// outright.
async fn sdk_config(target: &Target, http: &Http) -> Result<SdkConfig> {
    let http = http.sdk_client();
    let provider = ProviderConfig::without_region().with_http_client(http.clone());
    // Off EC2 nobody answers at the metadata address, or somebody who knows nothing of it: a quick look is enough.
    let metadata = imds::Client::builder()
        .configure(&provider)
        .max_attempts(2)
        .operation_attempt_timeout(METADATA_WITHIN)
        .operation_timeout(METADATA_WITHIN)
        .build();
    let region = region(target, &provider, metadata.clone()).await.ok_or_else(no_region)?;
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(region.clone())
        .retry_config(attempts(3))
        .timeout_config(timeouts);
    if let Some(url) = &target.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if target.dummy_credentials {
        let dummy = Credentials::new("test", "test", None, None, "local AWS");
        return Ok(loader.credentials_provider(SharedCredentialsProvider::new(dummy)).load().await);
    }
    if let Some(profile) = &target.profile {
        // Asked for by name: keys that happen to be in the environment are not what was meant.
        let provider = provider.with_region(Some(region));
        let named = ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&provider);
        return Ok(loader.credentials_provider(named.build()).load().await);
    }
    let chain = DefaultCredentialsChain::builder().configure(provider).region(region).imds_client(metadata);
    Ok(loader.credentials_provider(chain.build().await).load().await)
}

async fn region(target: &Target, provider: &ProviderConfig, metadata: imds::Client) -> Option<Region> {
    if let Some(region) = &target.region {
        return Some(Region::new(region.clone()));
    }
    let mut profile = ProfileFileRegionProvider::builder().configure(provider);
    if let Some(name) = &target.profile {
        profile = profile.profile_name(name);
    }
    RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
        .or_else(profile.build())
        .or_else(ImdsRegionProvider::builder().configure(provider).imds_client(metadata).build())
        .region()
        .await
}

fn no_region() -> Error {
    Error::usage("no region is set")
        .hint("Say --region us-east-1, set AWS_REGION, or write region = \"us-east-1\" into the manifest.")
}

fn unreachable(target: &Target, region: &str) -> Error {
    let error = Error::new(match &target.endpoint_url {
        Some(url) => format!("nothing answers at {url}"),
        None => format!("AWS's endpoint in region {region} cannot be reached"),
    });
    match &target.endpoint_url {
        Some(_) => error.hint("Check --endpoint-url; deployer local start starts the local AWS."),
        None => {
            error.hint("Check the network, the proxy settings (HTTPS_PROXY, NO_PROXY) and the region's name.")
        }
    }
}

/// The first call is where a bad region and a bad network show.
fn explain(error: AwsError, target: &Target, region: &str) -> Error {
    match error.transport {
        None => error.into(),
        Some(_) => unreachable(target, region).because(&error.message),
    }
}

/// Refuses everything but reads, before anything is sent.
#[derive(Clone, Debug)]
struct Guard(Access);

/// What an AWS operation that changes nothing is called.
const READS: [&str; 5] = ["Get", "List", "Describe", "Filter", "Scan"];

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    // The first hook that knows the operation.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = cfg.load::<Metadata>().map_or("?", Metadata::name);
        tracing::debug!(operation, "call");
        if self.0 == Access::ReadOnly && !READS.iter().any(|read| operation.starts_with(read)) {
            return Err(format!("{operation} would change something, and this command only reads").into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{scope, wire};
    use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
    use aws_smithy_runtime_api::client::http::{
        HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
    };
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

    /// The clients as they are in the program.
    fn answering(answers: Vec<HttpResponse>) -> (Aws, Script) {
        let script = Script(Arc::new(Mutex::new(answers)));
        let connector = SharedHttpConnector::new(script.clone());
        let credentials = Credentials::new("a", "b", None, None, "test");
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .retry_config(attempts(3))
            .build();
        let http = Http::new(CONNECT_TIMEOUT, &Target::default()).unwrap();
        (Aws::with(&sdk, scope(), None, http, Access::ReadOnly), script)
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
    fn only_this_machine_is_loopback() {
        for url in ["http://127.0.0.1:4566", "http://localhost", "http://[::1]:80/x", "https://127.8.8.8/"] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "http://10.0.0.1:4566",
            "http://localhost.example.com",
            "http://127.0.0.1@evil.example",
            "http://127.0.0.1.nip.io",
            "127.0.0.1:4566",
            "",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
