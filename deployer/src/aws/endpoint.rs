//! Where calls go: to one endpoint for all services, or to AWS's own endpoints. A stack is therefore verified, invoked and
//! loaded where it was deployed.

use super::AwsTarget;
use crate::error::{Error, Result};
use crate::http::{host, is_loopback};
use aws_config::SdkConfig;
use aws_types::service_config::ServiceConfigKey;
use hyper::Uri;

/// The ids of the services that are called. The SDK looks up per-service settings by them.
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

/// The domains of AWS's endpoints, in all partitions.
const AWS_DOMAINS: [&str; 9] = [
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

/// Returns the endpoint from the command line, the environment or the profile; `None` for AWS's own endpoints.
///
/// # Errors
/// An endpoint that is not a URL; a service with another endpoint than the rest; FIPS or dual-stack endpoints, which only
/// AWS has, together with an endpoint URL.
pub(super) fn resolve(sdk: &SdkConfig, target: &AwsTarget) -> Result<Option<String>> {
    let endpoint = target.endpoint_url.as_deref().or_else(|| sdk.endpoint_url());
    if let Some(url) = endpoint {
        validate(url)?;
        let variant = match (sdk.use_fips(), sdk.use_dual_stack()) {
            (Some(true), _) => Some(("FIPS", "AWS_USE_FIPS_ENDPOINT")),
            (_, Some(true)) => Some(("dual-stack", "AWS_USE_DUALSTACK_ENDPOINT")),
            _ => None,
        };
        if let Some((variant, variable)) = variant {
            return Err(Error::usage(format!("{url} cannot be one of AWS's {variant} endpoints"))
                .hint(format!("Unset {variable} (or what the profile says of it), or the endpoint.")));
        }
    }
    // As in AWS's own tools, an endpoint on the command line overrides all per-service settings.
    if target.endpoint_url.is_none() {
        for service in SERVICES {
            if let Some(url) = service_endpoint(sdk, service)
                && Some(url.as_str()) != endpoint
                && !is_aws_url(&url)
            {
                return Err(different_endpoints(service, &url, endpoint));
            }
        }
    }
    Ok(endpoint.map(str::to_owned))
}

/// Returns the endpoint that the environment or the profile sets for one service.
fn service_endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url");
    sdk.service_config()?.load_config(key.build().ok()?)
}

fn different_endpoints(service: &str, url: &str, endpoint: Option<&str>) -> Error {
    let others = endpoint.unwrap_or("AWS");
    let variable = format!("AWS_ENDPOINT_URL_{}", service.replace(' ', "_").to_uppercase());
    Error::usage(format!("the calls of {service} would go to {url}, and all others to {others}"))
        .hint(format!(
            "Unset {variable} (or endpoint_url of the profile's services), or set AWS_IGNORE_CONFIGURED_ENDPOINT_URLS=true."
        ))
        .hint("One endpoint for everything is --endpoint-url URL.")
}

fn validate(url: &str) -> Result<()> {
    let is_valid = url.parse::<Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some_and(|host| !host.is_empty())
    });
    if is_valid {
        return Ok(());
    }
    Err(Error::usage(format!("the endpoint {url:?} is not a URL"))
        .hint("An endpoint is like http://127.0.0.1:4566; it comes from --endpoint-url, AWS_ENDPOINT_URL or the profile."))
}

/// Returns whether a URL leads to AWS, perhaps through a VPC endpoint.
fn is_aws_url(url: &str) -> bool {
    url.starts_with("https://")
        && host(url).is_some_and(|host| AWS_DOMAINS.iter().any(|domain| host.ends_with(domain)))
}

/// Returns whether requests to this URL cross the network unencrypted.
pub(super) fn is_unencrypted_remote(url: &str) -> bool {
    url.starts_with("http://") && !is_loopback(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::BehaviorVersion;
    use aws_types::service_config::LoadServiceConfig;
    use std::collections::BTreeMap;

    #[derive(Debug)]
    struct ServiceEndpoints(BTreeMap<&'static str, &'static str>);

    impl LoadServiceConfig for ServiceEndpoints {
        fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
            self.0.get(key.service_id()).map(|url| (*url).to_owned())
        }
    }

    fn sdk(endpoint: Option<&str>, services: &[(&'static str, &'static str)]) -> SdkConfig {
        let mut sdk = SdkConfig::builder().behavior_version(BehaviorVersion::v2026_01_12());
        sdk.set_endpoint_url(endpoint.map(str::to_owned));
        sdk.service_config(ServiceEndpoints(services.iter().copied().collect())).build()
    }

    fn from_command_line(url: &str) -> AwsTarget {
        AwsTarget { endpoint_url: Some(url.to_owned()), ..AwsTarget::default() }
    }

    #[test]
    fn the_command_line_overrides_environment_and_profile() {
        let unset = AwsTarget::default();
        assert_eq!(resolve(&sdk(None, &[]), &unset).unwrap(), None);
        let profile = sdk(Some("http://profile"), &[("IAM", "http://profile")]);
        assert_eq!(resolve(&profile, &unset).unwrap().as_deref(), Some("http://profile"));
        let flag = from_command_line("http://flag");
        assert_eq!(resolve(&profile, &flag).unwrap().as_deref(), Some("http://flag"));
        let scattered = sdk(None, &[("Lambda", "http://elsewhere")]);
        assert_eq!(resolve(&scattered, &flag).unwrap().as_deref(), Some("http://flag"));
    }

    #[test]
    fn refuses_a_service_with_another_endpoint() {
        for endpoint in [None, Some("http://profile")] {
            let error =
                resolve(&sdk(endpoint, &[("API Gateway", "http://elsewhere")]), &AwsTarget::default());
            let error = error.unwrap_err();
            assert!(error.to_string().starts_with("the calls of API Gateway would go to http://elsewhere"));
            assert!(
                crate::testing::hints(&error)[0].contains("Unset AWS_ENDPOINT_URL_API_GATEWAY "),
                "{:?}",
                crate::testing::hints(&error)
            );
        }
        // A VPC endpoint leads to the same account.
        let vpc_endpoint = "https://vpce-1-2.lambda.us-east-1.vpce.amazonaws.com";
        assert_eq!(resolve(&sdk(None, &[("Lambda", vpc_endpoint)]), &AwsTarget::default()).unwrap(), None);
        for wrong in ["http://lambda.us-east-1.amazonaws.com", "https://amazonaws.com.evil.example"] {
            let sdk = sdk(None, &[("Lambda", wrong)]);
            assert!(resolve(&sdk, &AwsTarget::default()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn refuses_invalid_endpoints_and_fips_at_another_endpoint() {
        for wrong in ["127.0.0.1:4566", "ftp://x", "http://", "http:///x", "x y", "http://a b/"] {
            let error = resolve(&sdk(None, &[]), &from_command_line(wrong)).unwrap_err();
            assert!(error.to_string().ends_with("is not a URL"), "{error}");
        }
        let fips = sdk(None, &[]).into_builder().use_fips(true).build();
        let error = resolve(&fips, &from_command_line("http://flag")).unwrap_err();
        assert!(error.to_string().contains("FIPS"), "{error}");
        assert!(resolve(&fips, &AwsTarget::default()).is_ok());
    }

    #[test]
    fn only_plain_http_to_another_machine_is_unencrypted_remote() {
        assert!(is_unencrypted_remote("http://10.0.0.1:4566"));
        assert!(
            !is_unencrypted_remote("https://10.0.0.1:4566") && !is_unencrypted_remote("http://127.0.0.1")
        );
    }
}
