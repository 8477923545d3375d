//! Where calls go. There is one endpoint for all of them, or AWS's own: a stack that is made at one place is proven,
//! invoked and loaded there too.

use super::Target;
use crate::error::{Error, Result};
use crate::http::{host, is_loopback};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use hyper::Uri;

/// The services that are called, by the ids that per-service settings are found by.
const SERVICES: [&str; 8] = [
    "API Gateway",
    "Application Auto Scaling",
    "CloudWatch Logs",
    "DynamoDB",
    "IAM",
    "Lambda",
    "Resource Groups Tagging API",
    "STS",
];

/// What hosts of AWS's own end with, in all partitions.
const OF_AWS: [&str; 9] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
];

/// The endpoint that is not AWS's own, if there is one: from the command line, the environment or the profile.
///
/// # Errors
/// A text that is no URL; a service that has an endpoint of its own elsewhere; FIPS or dual-stack endpoints, which are
/// AWS's, together with another one.
pub(super) fn resolve(sdk: &SdkConfig, target: &Target) -> Result<Option<String>> {
    let endpoint = target.endpoint_url.as_deref().or_else(|| sdk.endpoint_url());
    if let Some(url) = endpoint {
        check(url)?;
        let flavour = match (sdk.use_fips(), sdk.use_dual_stack()) {
            (Some(true), _) => Some(("FIPS", "AWS_USE_FIPS_ENDPOINT")),
            (_, Some(true)) => Some(("dual-stack", "AWS_USE_DUALSTACK_ENDPOINT")),
            _ => None,
        };
        if let Some((flavour, variable)) = flavour {
            return Err(Error::usage(format!("{url} cannot be one of AWS's {flavour} endpoints"))
                .hint(format!("Unset {variable} (or what the profile says of it), or the endpoint.")));
        }
    }
    // What the command line says is for all services, as with AWS's own tools.
    if target.endpoint_url.is_none() {
        for service in SERVICES {
            if let Some(url) = of_service(sdk, service)
                && Some(url.as_str()) != endpoint
                && !is_of_aws(&url)
            {
                return Err(elsewhere(service, &url, endpoint));
            }
        }
    }
    Ok(endpoint.map(str::to_owned))
}

/// What the environment or the profile says of one service.
fn of_service(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    sdk.service_config()?.load_config(key.build().ok()?)
}

fn elsewhere(service: &str, url: &str, endpoint: Option<&str>) -> Error {
    let others = endpoint.unwrap_or("AWS");
    let variable = format!("AWS_ENDPOINT_URL_{}", service.replace(' ', "_").to_uppercase());
    Error::usage(format!("the calls of {service} would go to {url}, and all others to {others}"))
        .hint(format!(
            "Unset {variable} (or endpoint_url of the profile's services), or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true."
        ))
        .hint("One endpoint for everything is --endpoint-url URL.")
}

fn check(url: &str) -> Result<()> {
    let is_one = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if is_one {
        return Ok(());
    }
    Err(Error::usage(format!("the endpoint {url:?} is no URL"))
        .hint("An endpoint is like http://127.0.0.1:4566; it comes from --endpoint-url, AWS_ENDPOINT_URL or the profile."))
}

/// Whether a URL leads to AWS, perhaps by an endpoint in one's own network.
fn is_of_aws(url: &str) -> bool {
    url.starts_with("https://") && host(url).is_some_and(|host| OF_AWS.iter().any(|end| host.ends_with(end)))
}

/// Whether what is sent can be read on its way to another machine.
pub(super) fn is_readable_by_others(url: &str) -> bool {
    url.starts_with("http://") && !is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::BehaviorVersion;
    use aws_types::service_config::LoadServiceConfig;
    use std::collections::BTreeMap;

    #[derive(Debug)]
    struct Settings(BTreeMap<&'static str, &'static str>);

    impl LoadServiceConfig for Settings {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            self.0.get(key.service_id()).map(|url| (*url).to_owned())
        }
    }

    fn sdk(endpoint: Option<&str>, services: &[(&'static str, &'static str)]) -> SdkConfig {
        let mut sdk = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        sdk.set_endpoint_url(endpoint.map(str::to_owned));
        sdk.service_config(Settings(services.iter().copied().collect())).build()
    }

    fn said(url: &str) -> Target {
        Target { endpoint_url: Some(url.to_owned()), ..Target::default() }
    }

    #[test]
    fn all_calls_have_one_endpoint() {
        let nothing = Target::default();
        assert_eq!(resolve(&sdk(None, &[]), &nothing).unwrap(), None);
        let profile = sdk(Some("http://profile"), &[("IAM", "http://profile")]);
        assert_eq!(resolve(&profile, &nothing).unwrap().as_deref(), Some("http://profile"));
        let flag = said("http://flag");
        assert_eq!(resolve(&profile, &flag).unwrap().as_deref(), Some("http://flag"));
        let scattered = sdk(None, &[("Lambda", "http://elsewhere")]);
        assert_eq!(resolve(&scattered, &flag).unwrap().as_deref(), Some("http://flag"));
    }

    #[test]
    fn refuses_a_service_that_is_somewhere_else() {
        for endpoint in [None, Some("http://profile")] {
            let error = resolve(&sdk(endpoint, &[("API Gateway", "http://elsewhere")]), &Target::default());
            let error = error.unwrap_err();
            assert!(error.to_string().starts_with("the calls of API Gateway would go to http://elsewhere"));
            assert!(
                crate::testing::hints(&error)[0].contains("Unset AWS_ENDPOINT_URL_API_GATEWAY "),
                "{:?}",
                crate::testing::hints(&error)
            );
        }
        // An endpoint of AWS's in one's own network leads to the same account.
        let own = "https://vpce-1-2.lambda.us-east-1.vpce.amazonaws.com";
        assert_eq!(resolve(&sdk(None, &[("Lambda", own)]), &Target::default()).unwrap(), None);
        for wrong in ["http://lambda.us-east-1.amazonaws.com", "https://amazonaws.com.evil.example"] {
            let sdk = sdk(None, &[("Lambda", wrong)]);
            assert!(resolve(&sdk, &Target::default()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn refuses_an_endpoint_that_cannot_be_one() {
        for wrong in ["127.0.0.1:4566", "ftp://x", "http://", "http:///x", "x y", "http://a b/"] {
            let error = resolve(&sdk(None, &[]), &said(wrong)).unwrap_err();
            assert!(error.to_string().ends_with("is no URL"), "{error}");
        }
        let fips = sdk(None, &[]).into_builder().use_fips(true).build();
        let error = resolve(&fips, &said("http://flag")).unwrap_err();
        assert!(error.to_string().contains("FIPS"), "{error}");
        assert!(resolve(&fips, &Target::default()).is_ok());
    }

    #[test]
    fn only_plain_http_to_another_machine_is_readable_by_others() {
        assert!(is_readable_by_others("http://10.0.0.1:4566"));
        assert!(
            !is_readable_by_others("https://10.0.0.1:4566") && !is_readable_by_others("http://127.0.0.1")
        );
    }
}
