//! Loads credentials before the first call, so that missing credentials, or a login that waits for the user, are not
//! reported as a network problem.

use super::AwsTarget;
use super::endpoint::is_unencrypted_remote;
use crate::error::{Error, Result, root_causes};
use crate::time::{Stop, at_most, unless_stopped};
use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::credential_fn::provide_credentials_fn;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use std::pin::pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Long enough for a user to answer a `credential_process` that asks for a code or opens a browser.
const CREDENTIALS_TIMEOUT: Duration = Duration::from_secs(300);

/// After this time the user is told what the program is waiting for.
const NOTICE_DELAY: Duration = Duration::from_secs(3);

/// The prefix of temporary access keys, which are useless without their session token.
const TEMPORARY_KEY_PREFIX: &str = "ASIA";

/// Loads the credentials and returns the configuration with them, and whether they lack their session token. The
/// provider is called only once, because each call may ask the user something.
///
/// # Errors
/// No credentials; a provider that fails or takes more than five minutes; a session token that would be sent unencrypted
/// to another machine at `endpoint` although `target` does not allow that; Ctrl-C.
pub(super) async fn load(
    sdk: SdkConfig,
    target: &AwsTarget,
    endpoint: Option<&str>,
    stop: &Stop,
    notify: impl Fn(&str),
) -> Result<(SdkConfig, bool)> {
    let provider = sdk.credentials_provider().ok_or_else(|| no_credentials(target))?;
    let result = {
        let mut pending = pin!(unless_stopped(stop, provider.provide_credentials()));
        match at_most(NOTICE_DELAY, pending.as_mut()).await {
            Some(result) => Some(result),
            None => {
                notify(&format!("waiting for the credentials{}", profile_phrase(target)));
                at_most(CREDENTIALS_TIMEOUT, pending).await
            }
        }
    };
    let result = result.ok_or_else(|| timed_out(target))??;
    let credentials = result.map_err(|error| {
        let cause = root_causes(&error);
        // The metadata service (IMDS) is the last provider of the chain. Outside EC2 anything may answer at its address.
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || cause.to_lowercase().contains("imds")
        {
            return no_credentials(target);
        }
        Error::new(format!("the credentials{} could not be loaded", profile_phrase(target)))
            .because(&cause)
            .hint("For SSO run `aws sso login`; for `aws login` run it again.")
    })?;
    if let Some(url) = endpoint.filter(|url| is_unencrypted_remote(url))
        && credentials.session_token().is_some()
        && !target.allow_plain_http
    {
        return Err(unencrypted_token(url));
    }
    let lacks_token = lacks_token(&credentials);
    let first = Mutex::new(Some(credentials));
    let cached = provide_credentials_fn(move || {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let provider = provider.clone();
        async move {
            match first {
                Some(first) => Ok(first),
                None => provider.provide_credentials().await,
            }
        }
    });
    let sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(cached)).build();
    Ok((sdk, lacks_token))
}

fn lacks_token(credentials: &Credentials) -> bool {
    credentials.access_key_id().starts_with(TEMPORARY_KEY_PREFIX) && credentials.session_token().is_none()
}

/// Requests contain the session token itself. AccessMode keys only sign them.
fn unencrypted_token(url: &str) -> Error {
    Error::usage(format!("these credentials have a session token, and {url} would get it unencrypted"))
        .hint("Use an https:// endpoint, or credentials that are worth nothing.")
        .hint("Where nobody can listen, --allow-plain-http sends it all the same.")
}

fn no_credentials(target: &AwsTarget) -> Error {
    let error = Error::new(match &target.profile {
        Some(profile) => format!("no AWS credentials were found for the profile {profile}"),
        None => "no AWS credentials were found".to_owned(),
    });
    if target.profile.is_some() {
        return error.hint("`aws configure list-profiles` shows the profiles that there are; `aws sso login --profile NAME` or `aws login --profile NAME` gives one credentials.");
    }
    error
        .hint("Run `aws sso login` or `aws login`, choose a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.")
        .hint("To try without an AWS account, add --local.")
}

fn timed_out(target: &AwsTarget) -> Error {
    let (profile, minutes) = (profile_phrase(target), CREDENTIALS_TIMEOUT.as_secs() / 60);
    Error::new(format!("the credentials{profile} did not come within {minutes} minutes"))
        .hint("What gives them (a credential_process, a login) waits for something: run it by hand.")
}

/// Returns the profile as messages name it, after "the credentials".
fn profile_phrase(target: &AwsTarget) -> String {
    target.profile.as_ref().map(|profile| format!(" of the profile {profile}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::BehaviorVersion;
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What loading from a slow provider led to.
    struct Outcome {
        result: Result<SdkConfig>,
        provider_calls: Arc<AtomicUsize>,
        notices: Vec<String>,
    }

    async fn load_after(wait: Duration, target: &AwsTarget, stop: &Stop) -> Outcome {
        let provider_calls = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&provider_calls);
        let provider = provide_credentials_fn(move || {
            let number = counter.fetch_add(1, Ordering::SeqCst);
            async move {
                #[expect(clippy::disallowed_methods, reason = "stands for a process that takes its time")]
                tokio::time::sleep(wait).await;
                Ok(Credentials::new(format!("key-{number}"), "secret", None, None, "test"))
            }
        });
        let sdk = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .build();
        let notices = RefCell::new(Vec::new());
        let result = load(sdk, target, None, stop, |line| notices.borrow_mut().push(line.to_owned())).await;
        Outcome { result: result.map(|(sdk, _)| sdk), provider_calls, notices: notices.into_inner() }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_for_slow_credentials_and_loads_them_once() {
        for (wait, notices) in [(1, &[][..]), (240, &["waiting for the credentials"][..])] {
            let loaded = load_after(Duration::from_secs(wait), &AwsTarget::default(), &Stop::default()).await;
            assert_eq!(loaded.notices, notices);
            let provider = loaded.result.unwrap().credentials_provider().unwrap();
            assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), "key-0");
            assert_eq!(loaded.provider_calls.load(Ordering::SeqCst), 1);
            // After these have expired, the provider is called again.
            assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), "key-1");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_timeout_error_names_the_profile() {
        let target = AwsTarget { profile: Some("work".to_owned()), ..AwsTarget::default() };
        let loaded = load_after(Duration::from_secs(100_000), &target, &Stop::default()).await;
        assert_eq!(loaded.notices, ["waiting for the credentials of the profile work"]);
        let error = loaded.result.unwrap_err();
        assert_eq!(error.to_string(), "the credentials of the profile work did not come within 5 minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn ctrl_c_ends_the_wait() {
        let stop = Stop::default();
        stop.set();
        let loaded = load_after(Duration::from_secs(60), &AwsTarget::default(), &stop).await;
        assert_eq!(loaded.result.unwrap_err().to_string(), "interrupted");
    }

    #[tokio::test(start_paused = true)]
    async fn sends_a_session_token_unencrypted_to_another_machine_only_if_allowed() {
        let plain = "http://10.0.0.1:4566";
        let cases = [
            (plain, Some("token"), false, false),
            (plain, Some("token"), true, true),
            (plain, None, false, true),
            ("https://10.0.0.1:4566", Some("token"), false, true),
            ("http://127.0.0.1:4566", Some("token"), false, true),
        ];
        for (url, token, allow_plain_http, sent) in cases {
            let credentials = Credentials::new("key", "secret", token.map(str::to_owned), None, "test");
            let sdk = SdkConfig::builder()
                .behavior_version(BehaviorVersion::v2026_01_12())
                .credentials_provider(SharedCredentialsProvider::new(credentials))
                .build();
            let target = AwsTarget { allow_plain_http, ..AwsTarget::default() };
            let loaded = load(sdk, &target, Some(url), &Stop::default(), |_| {}).await;
            assert_eq!(loaded.is_ok(), sent, "{url} {token:?} {allow_plain_http}");
            if let Err(error) = loaded {
                assert!(!error.to_string().contains("token\"") && error.to_string().contains(url), "{error}");
            }
        }
    }

    #[test]
    fn detects_a_temporary_key_without_a_session_token() {
        let lacks = |key: &str, token: Option<&str>| {
            lacks_token(&Credentials::new(key, "secret", token.map(str::to_owned), None, "test"))
        };
        assert!(lacks("ASIAIOSFODNN7EXAMPLE", None));
        assert!(!lacks("ASIAIOSFODNN7EXAMPLE", Some("token")) && !lacks("AKIAIOSFODNN7EXAMPLE", None));
    }
}
