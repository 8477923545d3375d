//! The request that proves a stack, and the answer that counts. Pure; `smoke` sends it.

use crate::shell::quoted;

/// A request to the stack's API that can be sent at any time, and what has to come back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// What people call it.
    pub(crate) name: String,
    pub(crate) method: String,
    /// Below the stage, with its parameters filled in, and with the query if it has one.
    pub(crate) path: String,
    /// JSON; empty for none.
    pub(crate) body: String,
    pub(crate) expected: ExpectedAnswer,
    /// What to look at if another answer comes, as a sentence.
    pub(crate) advice: &'static str,
}

/// The answer that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpectedAnswer {
    /// 200, and this body with any white space around it.
    Exactly(String),
    /// Any status of 200 to 299, with this text somewhere in the body.
    Success(Option<String>),
}

impl Proof {
    /// Whether this is the answer that counts.
    pub(crate) fn accepts(&self, status: u16, body: &str) -> bool {
        match &self.expected {
            ExpectedAnswer::Exactly(expected) => status == 200 && body.trim() == expected,
            ExpectedAnswer::Success(part) => {
                (200..300).contains(&status) && part.as_ref().is_none_or(|part| body.contains(part))
            }
        }
    }

    /// The same request as a command for a shell.
    pub(crate) fn curl(&self, url: &str) -> String {
        let mut command = format!("curl -X {} '{url}'", self.method);
        if !self.body.is_empty() {
            command.push_str(" -H 'content-type: application/json' -d ");
            command.push_str(&quoted(&self.body));
        }
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(body: &str, expected: ExpectedAnswer) -> Proof {
        let text = |text: &str| text.to_owned();
        Proof {
            name: text("a"),
            method: text("PUT"),
            path: text("/a"),
            body: body.to_owned(),
            expected,
            advice: "",
        }
    }

    #[test]
    fn answers_are_told_apart() {
        let exactly = proof("", ExpectedAnswer::Exactly("\"pong\"".to_owned()));
        assert!(exactly.accepts(200, "\"pong\"\n"));
        assert!(!exactly.accepts(201, "\"pong\"") && !exactly.accepts(200, "\"pong\" and more"));
        let any = proof("", ExpectedAnswer::Success(None));
        assert!(any.accepts(200, "") && any.accepts(299, "x"));
        assert!(!any.accepts(199, "") && !any.accepts(300, "") && !any.accepts(404, ""));
        let part = proof("", ExpectedAnswer::Success(Some("ok".to_owned())));
        assert!(part.accepts(204, "{\"is\":\"ok\"}"));
        assert!(!part.accepts(200, "OK") && !part.accepts(500, "ok"));
    }

    #[test]
    fn a_command_is_what_was_sent() {
        let success = ExpectedAnswer::Success(None);
        assert_eq!(proof("", success.clone()).curl("http://x/a?b=1&c"), "curl -X PUT 'http://x/a?b=1&c'");
        let with_body = proof(r#"{"it":"it's"}"#, success);
        let expected = r#"curl -X PUT 'http://x' -H 'content-type: application/json' -d '{"it":"it'\''s"}'"#;
        assert_eq!(with_body.curl("http://x"), expected);
    }
}
