//! The clients of all AWS services. They are built once, from one configuration; only this module knows how to reach AWS.

mod call_trace;
mod clock;
mod credentials;
mod endpoint;
mod identity;
pub(crate) mod rate_limiter;

use crate::aws::rate_limiter::RateLimiter;
use crate::error::{AwsError, Error, Result};
use crate::http::{ExpectedResponse, Http, NetworkSettings};
use crate::names::{Scope, is_read};
use crate::time::{self, Stop};
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
use aws_sdk_sts::config::{Credentials, Intercept};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut, InterceptorContext,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
pub(crate) use call_trace::CALL_TRACE;
use call_trace::CallTrace;
pub(crate) use clock::AwsClock;
use std::time::Duration;

/// Long enough to connect to another continent, short enough to report an unreachable endpoint while the user waits.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// After this time the response counts as lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// The same for Lambda: uploading 50 MB of code over a slow connection takes minutes.
const UPLOAD_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(600);

/// The limit for finding the region.
const REGION_TIMEOUT: Duration = Duration::from_millis(4500);

/// The metadata service runs on the instance's own host and answers within milliseconds.
const METADATA_TIMEOUT: Duration = Duration::from_millis(1000);

/// How to reach AWS, according to the command line and the manifest.
#[derive(Clone, Debug, Default)]
pub(crate) struct AwsTarget {
    /// The stack's region. Without one, the SDK's provider chain decides.
    pub region: Option<String>,
    /// The profile of the shared configuration files.
    pub profile: Option<String>,
    /// The endpoint for all services, from the command line. Without one, the environment and the profile decide, as in
    /// every program that uses the SDK.
    pub endpoint_url: Option<String>,
    /// Whether the endpoint is the local AWS.
    pub local: bool,
    /// Credentials to use instead of those of the SDK's provider chain.
    pub credentials: Option<Credentials>,
    /// Whether a session token may be sent unencrypted to another machine.
    pub allow_plain_http: bool,
    /// HTTP settings of this machine.
    pub network: NetworkSettings,
}

impl AwsTarget {
    /// Returns whether this is the local AWS, which costs nothing and has no limits. A loopback endpoint alone does not
    /// prove that: it may forward to anywhere.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }
}

/// Whether a command may change AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessMode {
    /// The clients refuse every operation that is not a read.
    ReadOnly,
    /// The clients send every operation.
    ReadWrite,
}

/// The clients of all services, and what they share.
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
    pub(crate) rate_limiter: RateLimiter,
    pub(crate) clock: AwsClock,
}

impl Aws {
    /// Finds credentials, region and account, and builds the clients. The only call is `sts:GetCallerIdentity`, so a
    /// configuration error can never look like a missing resource.
    ///
    /// `notify` tells the user about long waits: credentials may need the user's input, and an endpoint has `timeout` to
    /// answer.
    ///
    /// # Errors
    /// Missing credentials, region or account; endpoints that differ between services; an account that is not in
    /// `allowed_accounts` (an empty list allows all); Ctrl-C.
    pub(crate) async fn connect(
        target: &AwsTarget,
        stack: &str,
        allowed_accounts: &[String],
        access: AccessMode,
        stop: &Stop,
        timeout: Duration,
        notify: impl Fn(&str),
    ) -> Result<Self> {
        let http = Http::new(CONNECT_TIMEOUT, &target.network)?;
        let sdk = time::at_most(REGION_TIMEOUT, sdk_config(target, &http)).await;
        let sdk = sdk.ok_or_else(no_region)??;
        let endpoint_url = endpoint::resolve(&sdk, target)?;
        let (sdk, lacks_token) =
            credentials::load(sdk, target, endpoint_url.as_deref(), stop, &notify).await?;
        let region = sdk.region().map(ToString::to_string).ok_or_else(no_region)?;
        // `identity` retries and tells the user. The attempt timeout is longer than its own, so that it gives up first.
        let sts = aws_sdk_sts::config::Builder::from(&sdk)
            .interceptor(Guard(AccessMode::ReadOnly))
            .interceptor(CallTrace)
            .retry_config(one_attempt())
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(timeout * 2).build());
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let endpoint = endpoint_url.as_deref();
        let query = identity::IdentityQuery { endpoint, region: &region, lacks_token, stop, timeout };
        let attempt = async || {
            let response = sts.get_caller_identity().send().await;
            response.map_err(|error| Box::new(AwsError::new("sts:GetCallerIdentity", &error)))
        };
        let caller = query.run(attempt, notify).await?;
        let account = caller.account;
        if !allowed_accounts.is_empty() && !allowed_accounts.contains(&account) {
            return Err(Error::new(format!(
                "these credentials belong to account {account}, and the manifest allows only {}",
                allowed_accounts.join(", ")
            ))
            .hint("Choose other credentials with --profile, or change allowed-accounts in the manifest."));
        }
        let scope = Scope {
            partition: caller.partition,
            account,
            region,
            stack: stack.to_owned(),
            more_tags: crate::names::Tags::new(),
        };
        Ok(Self::from_config(&sdk, scope, endpoint_url, http, access))
    }

    fn from_config(
        sdk: &SdkConfig,
        scope: Scope,
        endpoint_url: Option<String>,
        http: Http,
        access: AccessMode,
    ) -> Self {
        let guard = Guard(access);
        let clock = AwsClock::default();
        let retry_partition = unlimited_retry_partition();
        let upload = TimeoutConfig::builder().operation_attempt_timeout(UPLOAD_ATTEMPT_TIMEOUT).build();
        macro_rules! client {
            ($sdk:ident $(, $setting:ident($value:expr))*) => {
                $sdk::Client::from_conf(
                    $sdk::config::Builder::from(sdk)
                        .interceptor(guard.clone())
                        .interceptor(CallTrace)
                        .interceptor(clock.clone())
                        .retry_partition(retry_partition.clone())
                        .retry_classifier(ClientErrorClassifier)
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
            rate_limiter: RateLimiter::default(),
            clock,
        }
    }

    /// Returns the URL of `path` (which starts with a slash) in a deployed API.
    ///
    /// With an endpoint other than AWS's, the URL has the form that local emulators of API Gateway share.
    pub(crate) fn invoke_url(&self, api_id: &str, stage: &str, path: &str) -> String {
        match &self.endpoint_url {
            Some(url) => {
                format!("{}/restapis/{api_id}/{stage}/_user_request_{path}", url.trim_end_matches('/'))
            }
            None => format!("https://{}/{stage}{path}", self.scope.execute_api_host(api_id)),
        }
    }
}

/// Returns a configuration without SDK retries. It is for operations that are not idempotent: a retry after a lost
/// response could create a second resource. The caller checks what exists before it tries again.
pub(crate) fn one_attempt() -> RetryConfig {
    RetryConfig::disabled()
}

fn attempts(max_attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(max_attempts)
}

/// Turns off the SDK's retry quota. A series of lost connections would use it up, and later calls would get no retries.
fn unlimited_retry_partition() -> RetryPartition {
    RetryPartition::custom("deployer").token_bucket(TokenBucket::unlimited()).build()
}

/// Keeps the SDK from retrying HTTP 4xx; it retries only transport errors and HTTP 5xx. `engine/retry.rs` retries refusals: it
/// knows which ones are transient and tells the user what it waits for. The SDK would also retry a full quota, because
/// AWS reports it as throttling.
#[derive(Debug)]
struct ClientErrorClassifier;

impl ClassifyRetry for ClientErrorClassifier {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context.response().map(|response| response.status().as_u16()) {
            Some(400..500) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "ClientErrorClassifier"
    }
}

/// Loads the SDK's configuration. The behaviour version is the newest of the locked SDK; settings that matter here are
/// explicit nevertheless.
async fn sdk_config(target: &AwsTarget, http: &Http) -> Result<SdkConfig> {
    let http = http.sdk_client();
    let provider = ProviderConfig::without_region().with_http_client(http.clone());
    // Outside EC2 there is no metadata service, or something else answers at its address: do not wait long.
    let metadata = imds::Client::builder()
        .configure(&provider)
        .max_attempts(2)
        .operation_attempt_timeout(METADATA_TIMEOUT)
        .operation_timeout(METADATA_TIMEOUT)
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
    if target.is_local() {
        // The local AWS has no such endpoints, and the SDK rejects these settings together with an endpoint URL.
        loader = loader.use_fips(false).use_dual_stack(false);
    }
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(credentials) = &target.credentials {
        return Ok(loader.credentials_provider(credentials.clone()).load().await);
    }
    if let Some(profile) = &target.profile {
        // An explicit profile takes precedence over keys in the environment.
        let provider = provider.with_region(Some(region));
        let profile_provider =
            ProfileFileCredentialsProvider::builder().profile_name(profile).configure(&provider);
        return Ok(loader.credentials_provider(profile_provider.build()).load().await);
    }
    let chain = DefaultCredentialsChain::builder().configure(provider).region(region).imds_client(metadata);
    Ok(loader.credentials_provider(chain.build().await).load().await)
}

async fn region(target: &AwsTarget, provider: &ProviderConfig, metadata: imds::Client) -> Option<Region> {
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

/// Refuses writes in read-only mode before anything is sent, and attaches to each request what its response must be.
#[derive(Clone, Debug)]
struct Guard(AccessMode);

#[aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint]
impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "Guard"
    }

    // This is the first hook that knows the operation.
    fn read_before_serialization(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = cfg.load::<Metadata>().map_or("?", Metadata::name);
        if self.0 == AccessMode::ReadOnly && !is_read(operation) {
            return Err(format!("{operation} would change something, and this command only reads").into());
        }
        Ok(())
    }

    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = cfg.load::<Metadata>() {
            let expected = ExpectedResponse::for_operation(call.service(), call.name(), is_read(call.name()));
            context.request_mut().add_extension(expected);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
