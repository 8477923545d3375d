//! The error of a function.

use crate::error::{Command, Error, Hint};
use crate::manifest::{Auth, Route};
use serde_json::Value;

/// The error that a function returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionError {
    pub(crate) error_type: Option<String>,
    pub(crate) message: Option<String>,
}

impl FunctionError {
    /// Parses Lambda's error object, or that of the lab. Other bodies give an error without type and message.
    pub(super) fn parse(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Self { error_type: text("errorType"), message: text("errorMessage").or_else(|| text("message")) }
    }

    /// Returns the error with which a command fails. `route` is the route that the event was sent to; `logs` is the command
    /// that shows the function's log.
    pub(crate) fn error(&self, status: u16, route: Option<&Route>, logs: Command) -> Error {
        let details = [&self.error_type, &self.message].into_iter().flatten();
        let details = details.map(String::as_str).collect::<Vec<_>>().join(": ");
        let message = match route {
            None => "the function failed".to_owned(),
            Some(_) => format!("the URL answers HTTP {status}"),
        };
        let error = Error::new(if details.is_empty() { message } else { format!("{message}: {details}") });
        match (status, route) {
            (401 | 403, Some(route)) if route.auth != Auth::None => error.hint(
                "The route asks for credentials, and deployer sends none: --via lambda takes those of your \
                 own.",
            ),
            (500.., Some(_)) => error.hint(Hint::from(logs).text(" shows what the function wrote.")),
            _ => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Verb;
    use crate::testing::route;

    #[test]
    fn the_error_has_type_and_message_and_fitting_hints() {
        let function_error = |error_type: Option<&str>, message: Option<&str>| FunctionError {
            error_type: error_type.map(str::to_owned),
            message: message.map(str::to_owned),
        };
        let (open, closed) = (route("POST", "/a", Auth::None), route("POST", "/a", Auth::Iam));
        let cases = [
            (
                function_error(Some("ValueError"), Some("no")),
                200,
                None,
                "the function failed: ValueError: no",
                0,
            ),
            (function_error(None, None), 200, None, "the function failed", 0),
            (
                function_error(None, Some("Forbidden")),
                403,
                Some(&closed),
                "the URL answers HTTP 403: Forbidden",
                1,
            ),
            (
                function_error(None, Some("Forbidden")),
                403,
                Some(&open),
                "the URL answers HTTP 403: Forbidden",
                0,
            ),
            (function_error(None, None), 502, Some(&open), "the URL answers HTTP 502", 1),
        ];
        for (function_error, status, route, message, hints) in cases {
            let error = function_error.error(status, route, Verb::Logs.into());
            assert_eq!((error.to_string().as_str(), error.hints().len()), (message, hints));
        }
    }
}
