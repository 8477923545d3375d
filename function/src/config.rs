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
    /// Another endpoint of DynamoDB than AWS's own: `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL`.
    pub endpoint_url: Option<String>,
    /// The least severe level that is logged: `AWS_LAMBDA_LOG_LEVEL`, which Lambda sets from the function's logging
    /// configuration, or `LOG_LEVEL`.
    pub log_level: Level,
    /// The address of Lambda's runtime API. Absent outside Lambda.
    pub runtime_api: Option<String>,
}

impl Config {
    /// Reads the process's environment.
    #[must_use]
    pub fn from_env() -> Self {
        #[expect(clippy::disallowed_methods, reason = "this is the place that reads the environment")]
        Self::read(|name| std::env::var(name).ok())
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
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
                .map_or_else(Level::default, |name| Level::named(&name)),
            runtime_api: variable("AWS_LAMBDA_RUNTIME_API"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Config {
        Config::read(|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_more_specific_variable_takes_precedence() {
        let config = read(&[
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
    fn credentials_need_both_halves() {
        assert!(read(&[("AWS_ACCESS_KEY_ID", "id")]).credentials.is_none());
        let config = read(&[
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "token"),
        ]);
        assert_eq!(config.credentials.unwrap().session_token(), Some("token"));
    }

    #[test]
    fn an_empty_variable_counts_as_unset() {
        let config = read(&[("AWS_ENDPOINT_URL", ""), ("LOG_LEVEL", "")]);
        assert_eq!(config.endpoint_url, None);
        assert_eq!(config.log_level, Level::Info);
    }
}
