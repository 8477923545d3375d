//! Every client, built once from one configuration. The only place that knows how AWS is reached.

mod calls;
mod clock;
mod credentials;
mod endpoint;
mod identity;
pub(crate) mod pace;

use crate::aws::pace::Pace;
use crate::error::{AwsError, Error, Result};
use crate::http::{Expected, Http, Network};
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
pub(crate) use calls::CALLS;
use calls::Calls;
pub(crate) use clock::Clock;
use std::time::Duration;

/// Long enough for another continent, short enough to say "unreachable" while somebody watches.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(3100);

/// A call that has no answer by then has lost it. A function's code of 50 MB on a slow line takes minutes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
const UPLOAD_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(600);

/// The region is found, or missed, within this time: a person waits.
const CONFIGURED_WITHIN: Duration = Duration::from_millis(4500);

/// The metadata service is on the instance's own host, and answers in milliseconds.
const METADATA_WITHIN: Duration = Duration::from_millis(1000);

/// How to reach AWS, as the person said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// Where the stack is; otherwise the SDK's own chain decides.
    pub region: Option<String>,
    /// The named profile of the shared configuration.
    pub profile: Option<String>,
    /// Another endpoint than AWS's own for every service, as the command line says it. Otherwise the environment and the
    /// profile decide, as with the SDK.
    pub endpoint_url: Option<String>,
    /// Whether that is the local AWS.
    pub local: bool,
    /// Credentials that are known already, instead of the SDK's chain.
    pub credentials: Option<Credentials>,
    /// Whether a session token may go unencrypted to another machine.
    pub allow_plain_http: bool,
    /// How this machine speaks HTTP.
    pub network: Network,
}

impl Target {
    /// Whether this is the local AWS, which costs nothing and has no limits. An endpoint on this machine alone is not: it
    /// may lead anywhere.
    pub(crate) fn is_local(&self) -> bool {
        self.local
    }
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
    /// Finds credentials, region and account. Who waits for long is told so by `talk`: credentials may wait for a person,
    /// and an endpoint has as long as `timeout` to answer.
    ///
    /// # Errors
    /// Each of the three that is missing, with what to do; an endpoint that not all calls would go to; an account that is
    /// not among `allowed_accounts` (empty allows all); Ctrl-C. No other call was made by then, so nothing was taken for
    /// "not found".
    pub(crate) async fn connect(
        target: &Target,
        stack: &str,
        allowed_accounts: &[String],
        access: Access,
        stop: &Stop,
        timeout: Duration,
        talk: impl Fn(&str),
    ) -> Result<Self> {
        let http = Http::new(CONNECT_TIMEOUT, &target.network)?;
        let sdk = time::at_most(CONFIGURED_WITHIN, sdk_config(target, &http)).await;
        let sdk = sdk.ok_or_else(no_region)??;
        let endpoint_url = endpoint::resolve(&sdk, target)?;
        let (sdk, lacks_token) = credentials::load(sdk, target, endpoint_url.as_deref(), stop, &talk).await?;
        let region = sdk.region().map(ToString::to_string).ok_or_else(no_region)?;
        // What passes is tried again by `identity`, which says so, and which gives up first.
        let sts = aws_sdk_sts::config::Builder::from(&sdk)
            .interceptor(Guard(Access::ReadOnly))
            .interceptor(Calls)
            .retry_config(one_attempt())
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(timeout * 2).build());
        let sts = aws_sdk_sts::Client::from_conf(sts.build());
        let endpoint = endpoint_url.as_deref();
        let asked = identity::Asked { endpoint, region: &region, lacks_token, stop, timeout };
        let ask = async || {
            let answer = sts.get_caller_identity().send().await;
            answer.map_err(|error| Box::new(AwsError::new("sts:GetCallerIdentity", &error)))
        };
        let caller = asked.caller(ask, talk).await?;
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
        Ok(Self::with(&sdk, scope, endpoint_url, http, access))
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
                        .interceptor(Calls)
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

/// What AWS refuses is not repeated by the SDK, only what did not get through or broke: `engine/retry.rs` knows which refusals
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
    if target.is_local() {
        // AWS has endpoints of these kinds, and the local one has not.
        loader = loader.use_fips(false).use_dual_stack(false);
    }
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if target.local {
        // There are no such endpoints, and the SDK refuses to ask for one at an address that is given.
        loader = loader.use_fips(false).use_dual_stack(false);
    }
    if let Some(credentials) = &target.credentials {
        return Ok(loader.credentials_provider(credentials.clone()).load().await);
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

/// Refuses everything but reads before anything is sent, and says with each request what its answer has to be.
#[derive(Clone, Debug)]
struct Guard(Access);

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
        if self.0 == Access::ReadOnly && !is_read(operation) {
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
            let expected = Expected::of(call.service(), call.name(), is_read(call.name()));
            context.request_mut().add_extension(expected);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
