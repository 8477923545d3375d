//! Credentials, found before the first call: who finds none, or waits for a person, says so, and not that AWS is out of
//! reach.

use super::Target;
use super::endpoint::is_readable_by_others;
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

/// A `credential_process` may ask for a code, or open a browser: so long is enough for a person.
const WITHIN: Duration = Duration::from_secs(300);

/// From then on people are told what is waited for.
const SILENT: Duration = Duration::from_secs(3);

/// What temporary access keys begin with. They are of no use without their session token.
const TEMPORARY: &str = "ASIA";

/// The same configuration, with credentials that are there, and whether they lack a session token. They are asked for
/// once: a second time would be another question to the person.
///
/// # Errors
/// There are none; they could not be loaded; they did not come within five minutes; their session token would be sent
/// unencrypted to another machine at `endpoint`, and nobody said that it may; Ctrl-C.
pub(super) async fn load(
    sdk: SdkConfig,
    target: &Target,
    endpoint: Option<&str>,
    stop: &Stop,
    talk: impl Fn(&str),
) -> Result<(SdkConfig, bool)> {
    let provider = sdk.credentials_provider().ok_or_else(|| none(target))?;
    let found = {
        let mut asked = pin!(unless_stopped(stop, provider.provide_credentials()));
        match at_most(SILENT, asked.as_mut()).await {
            Some(found) => Some(found),
            None => {
                talk(&format!("waiting for the credentials{}", of_profile(target)));
                at_most(WITHIN, asked).await
            }
        }
    };
    let found = found.ok_or_else(|| late(target))??;
    let found = found.map_err(|error| {
        let why = root_causes(&error);
        // The metadata service of an instance is the last that is asked, and on other machines anything may answer
        // there.
        if matches!(error, CredentialsError::CredentialsNotLoaded(_)) || why.to_lowercase().contains("imds") {
            return none(target);
        }
        Error::new(format!("the credentials{} could not be loaded", of_profile(target)))
            .because(&why)
            .hint("For SSO run `aws sso login`; for `aws login` run it again.")
    })?;
    if let Some(url) = endpoint.filter(|url| is_readable_by_others(url))
        && found.session_token().is_some()
        && !target.allow_plain_http
    {
        return Err(unencrypted(url));
    }
    let lacks_token = lacks_token(&found);
    let first = Mutex::new(Some(found));
    let loaded = provide_credentials_fn(move || {
        let first = first.lock().unwrap_or_else(PoisonError::into_inner).take();
        let provider = provider.clone();
        async move {
            match first {
                Some(first) => Ok(first),
                None => provider.provide_credentials().await,
            }
        }
    });
    let sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(loaded)).build();
    Ok((sdk, lacks_token))
}

fn lacks_token(credentials: &Credentials) -> bool {
    credentials.access_key_id().starts_with(TEMPORARY) && credentials.session_token().is_none()
}

/// Requests carry the token as it is; keys only sign them.
fn unencrypted(url: &str) -> Error {
    Error::usage(format!("these credentials have a session token, and {url} would get it unencrypted"))
        .hint("Use an https:// endpoint, or credentials that are worth nothing.")
        .hint("Where nobody can listen, --allow-plain-http sends it all the same.")
}

pub(super) fn none(target: &Target) -> Error {
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

fn late(target: &Target) -> Error {
    let (profile, minutes) = (of_profile(target), WITHIN.as_secs() / 60);
    Error::new(format!("the credentials{profile} did not come within {minutes} minutes"))
        .hint("What gives them (a credential_process, a login) waits for something: run it by hand.")
}

fn of_profile(target: &Target) -> String {
    target.profile.as_ref().map(|profile| format!(" of the profile {profile}")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::BehaviorVersion;
    use std::cell::RefCell;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// A provider that answers after a while, how often it was asked, and what people were told.
    struct Asked {
        result: Result<SdkConfig>,
        times: Arc<AtomicUsize>,
        told: Vec<String>,
    }

    async fn load_after(wait: Duration, target: &Target, stop: &Stop) -> Asked {
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
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
        let told = RefCell::new(Vec::new());
        let result = load(sdk, target, None, stop, |line| told.borrow_mut().push(line.to_owned())).await;
        Asked { result: result.map(|(sdk, _)| sdk), times: asked, told: told.into_inner() }
    }

    #[tokio::test(start_paused = true)]
    async fn slow_credentials_are_waited_for_and_asked_for_once() {
        for (wait, told) in [(1, &[][..]), (240, &["waiting for the credentials"][..])] {
            let loaded = load_after(Duration::from_secs(wait), &Target::default(), &Stop::default()).await;
            assert_eq!(loaded.told, told);
            let provider = loaded.result.unwrap().credentials_provider().unwrap();
            assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), "key-0");
            assert_eq!(loaded.times.load(Ordering::SeqCst), 1);
            // When these have expired, there are others.
            assert_eq!(provider.provide_credentials().await.unwrap().access_key_id(), "key-1");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn credentials_that_never_come_are_named() {
        let target = Target { profile: Some("work".to_owned()), ..Target::default() };
        let loaded = load_after(Duration::from_secs(100_000), &target, &Stop::default()).await;
        assert_eq!(loaded.told, ["waiting for the credentials of the profile work"]);
        let error = loaded.result.unwrap_err();
        assert_eq!(error.to_string(), "the credentials of the profile work did not come within 5 minutes");
    }

    #[tokio::test(start_paused = true)]
    async fn ctrl_c_ends_the_wait() {
        let stop = Stop::default();
        stop.set();
        let loaded = load_after(Duration::from_secs(60), &Target::default(), &stop).await;
        assert_eq!(loaded.result.unwrap_err().to_string(), "interrupted");
    }

    #[tokio::test(start_paused = true)]
    async fn a_session_token_goes_to_another_machine_encrypted_or_by_an_explicit_word() {
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
            let target = Target { allow_plain_http, ..Target::default() };
            let loaded = load(sdk, &target, Some(url), &Stop::default(), |_| {}).await;
            assert_eq!(loaded.is_ok(), sent, "{url} {token:?} {allow_plain_http}");
            if let Err(error) = loaded {
                assert!(!error.to_string().contains("token\"") && error.to_string().contains(url), "{error}");
            }
        }
    }

    #[test]
    fn a_temporary_key_lacks_its_token() {
        let lacks = |key: &str, token: Option<&str>| {
            lacks_token(&Credentials::new(key, "secret", token.map(str::to_owned), None, "test"))
        };
        assert!(lacks("ASIAIOSFODNN7EXAMPLE", None));
        assert!(!lacks("ASIAIOSFODNN7EXAMPLE", Some("token")) && !lacks("AKIAIOSFODNN7EXAMPLE", None));
    }
}
