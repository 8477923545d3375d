//! Reads the function's settings from its environment variables. Nothing else reads them.
//!
//! Lambda sets all of them:
//! <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>.

use aws_sdk_dynamodb::config::Credentials;

use crate::log::Level;

/// The function's settings.
#[derive(Debug)]
pub struct Config {
    /// The AWS region, from `AWS_REGION` or `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// The role's credentials. Lambda ends the process before they expire, so they are read once.
    pub credentials: Option<Credentials>,
    /// The endpoint that replaces AWS's own, from `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    /// The least severe level that is logged, from `AWS_LAMBDA_LOG_LEVEL` or `LOG_LEVEL`. Lambda sets the first according
    /// to the function's logging configuration.
    pub log_level: Level,
    /// The address of Lambda's runtime API, or `None` outside Lambda.
    pub runtime_api: Option<String>,
}

impl Config {
    /// Reads the settings from the environment of the process.
    #[must_use]
    pub fn from_env() -> Self {
        #[expect(clippy::disallowed_methods, reason = "the function reads its environment only here")]
        Self::from_variables(|name| std::env::var(name).ok())
    }

    fn from_variables(variable: impl Fn(&str) -> Option<String>) -> Self {
        // An empty variable counts as unset: people clear a Lambda setting that way.
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let credentials = variable("AWS_ACCESS_KEY_ID").zip(variable("AWS_SECRET_ACCESS_KEY"));
        Self {
            region: variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")),
            credentials: credentials.map(|(id, secret)| {
                Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment")
            }),
            endpoint_url: variable("AWS_ENDPOINT_URL_DYNAMODB").or_else(|| variable("AWS_ENDPOINT_URL")),
            log_level: variable("AWS_LAMBDA_LOG_LEVEL")
                .or_else(|| variable("LOG_LEVEL"))
                .map_or_else(Level::default, |name| Level::from_name(&name)),
            runtime_api: variable("AWS_LAMBDA_RUNTIME_API"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Config {
        Config::from_variables(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_more_specific_variable_takes_precedence() {
        let config = config(&[
            ("AWS_REGION", "eu-north-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_DYNAMODB", "http://dynamodb"),
            ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
            ("LOG_LEVEL", "DEBUG"),
        ]);
        assert_eq!(config.region.as_deref(), Some("eu-north-1"));
        assert_eq!(config.endpoint_url.as_deref(), Some("http://dynamodb"));
        assert_eq!(config.log_level, Level::Error);
    }

    #[test]
    fn credentials_need_id_and_secret() {
        assert!(config(&[("AWS_ACCESS_KEY_ID", "id")]).credentials.is_none());
        let config = config(&[
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        assert_eq!(config.credentials.unwrap().session_token(), Some("token"));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let config = config(&[("AWS_ENDPOINT_URL", ""), ("LOG_LEVEL", "")]);
        assert_eq!(config.endpoint_url, None);
        assert_eq!(config.log_level, Level::Info);
    }
}
