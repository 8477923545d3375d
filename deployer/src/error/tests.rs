//! How answers are read: by the real client, from a real socket.

use super::*;
use crate::aws::one_attempt;
use crate::http::{Http, NetworkSettings};
use crate::testing::refusal;
use aws_smithy_runtime_api::client::result::SdkError;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

/// Makes one call that changes something, to this address.
async fn call(url: &str) -> AwsError {
    let http = Http::new(Duration::from_secs(5), &NetworkSettings::default()).unwrap();
    let config = aws_sdk_iam::Config::builder()
        .with_test_defaults_v2()
        .http_client(http.sdk_client())
        .endpoint_url(url)
        .retry_config(one_attempt())
        .build();
    let iam = aws_sdk_iam::Client::from_conf(config);
    let create = iam.create_role().assume_role_policy_document("{}").role_name("lab-role");
    AwsError::new("iam:CreateRole", &create.send().await.unwrap_err())
}

/// Reads a request to its end, answers with these bytes, and closes the connection.
async fn answered(answer: &'static str) -> AwsError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut seen = Vec::new();
        while !seen.windows(8).any(|window| window == b"lab-role") {
            let mut some = [0; 1024];
            let read = stream.read(&mut some).unwrap();
            seen.extend_from_slice(&some[..read]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    let error = call(&url).await;
    server.join().unwrap();
    error
}

#[tokio::test]
async fn what_was_never_sent_cannot_have_been_applied() {
    // Nobody listens where somebody did a moment ago.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = call(&format!("http://{closed}")).await;
    assert_eq!(error.transport, Some(Transport::NotConnected), "{error}");
    assert!(!error.outcome_unknown());
    assert!(error.is_outage());
    assert!(error.to_string().contains("onnection refused"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_lost_or_unreadable_leaves_the_outcome_open() {
    let lost = [
        "",
        "HTTP/1.1 200 OK\r\ncontent-length: 999\r\n\r\n<CreateRole",
        "HTTP/1.1 200 OK\r\n\r\n<html>secret</html>",
        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
        "HTTP/1.1 503 Service Unavailable\r\n\r\n<html>secret</html>",
    ];
    for answer in lost {
        let error = answered(answer).await;
        assert!(error.outcome_unknown() && error.is_outage(), "{answer:?}: {error:?}");
        assert!(!error.is_throttle());
        assert!(!error.to_string().contains("secret"), "{error}");
        let status = answer.split(' ').nth(1).map_or(String::new(), |status| format!("(HTTP {status})"));
        assert!(error.to_string().ends_with(&status), "{error}");
    }
}

#[tokio::test]
async fn a_refusal_is_read_whole() {
    let error = answered(
        "HTTP/1.1 409 Conflict\r\nx-amzn-requestid: 1-2\r\nretry-after: 3\r\n\r\n\
         <ErrorResponse><Error><Code>LimitExceeded</Code><Message>Too many roles.</Message></Error></ErrorResponse>",
    )
    .await;
    assert_eq!(error.transport, None);
    assert!(!error.outcome_unknown());
    assert_eq!(error.retry_after, Some(Duration::from_secs(3)));
    assert_eq!(error.to_string(), "iam:CreateRole failed: LimitExceeded: Too many roles. (request id 1-2)");
}

#[test]
fn throttling_is_told_by_code_or_words() {
    let throttled = [
        ("Throttling", ""),
        ("ThrottlingException", ""),
        ("TooManyRequestsException", "Too Many Requests"),
        ("RequestLimitExceeded", ""),
        ("RequestThrottledException", ""),
        (
            "ProvisionedThroughputExceededException",
            "The level of configured provisioned throughput was exceeded.",
        ),
        ("LimitExceededException", "Rate exceeded"),
    ];
    for (code, message) in throttled {
        assert!(refusal(code, message).is_throttle(), "{code}");
    }
    let later = AwsError {
        retry_after: Some(Duration::from_secs(2)),
        ..refusal("LimitExceededException", "The request exceeded the rate limit.")
    };
    assert!(later.is_throttle());
    assert!(AwsError { status: Some(429), ..refusal("", "(HTTP 429)") }.is_throttle());
    for code in ["LimitExceededException", "LimitExceeded", "AccessDenied", "ConflictException", ""] {
        assert!(!refusal(code, "Maximum number of Resources has been reached").is_throttle(), "{code}");
    }
}

#[test]
fn context_comes_first_and_awss_answer_stays() {
    let error = Error::from(refusal("LimitExceeded", "in use")).context("gave up after 3 s");
    assert_eq!(error.to_string(), "gave up after 3 s: lab:Make failed: LimitExceeded: in use");
    assert!(error.has_code("LimitExceeded"));
    assert_eq!(error.kind().exit_status().code(), 1);
}

#[test]
fn an_error_without_a_text_is_impossible() {
    for nothing in ["", " ", "\n\t"] {
        for error in [Error::new(nothing), Error::usage(nothing), Error::of(ErrorKind::Partial, nothing)] {
            assert!(error.to_string().contains("fault of deployer's"), "{error}");
        }
    }
}

/// AWS's refusals may lack a code, a message, or both.
#[test]
fn an_answer_without_a_text_is_an_error_with_one() {
    use aws_sdk_iam::operation::get_role::GetRoleError;
    use aws_smithy_runtime_api::http::Response;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;
    for code in [None, Some("AccessDenied")] {
        for message in [None, Some(""), Some("  ")] {
            let mut metadata = ErrorMetadata::builder();
            if let Some(code) = code {
                metadata = metadata.code(code);
            }
            if let Some(message) = message {
                metadata = metadata.message(message);
            }
            let raw = Response::new(403.try_into().unwrap(), SdkBody::empty());
            let error = SdkError::service_error(GetRoleError::generic(metadata.build()), raw);
            let error = AwsError::new("iam:GetRole", &error);
            assert!(!error.message.trim().is_empty(), "{error:?}");
            assert!(error.to_string().ends_with("(HTTP 403)"), "{error}");
        }
    }
}

/// What a run of `up` with these flags says.
fn said(flags: &[Flag], hint: impl Into<Hint>) -> Vec<String> {
    CommandLine::new(Verb::Up, flags.to_vec(), vec![Flag::Release]).hints(&Error::new("no").hint(hint))
}

#[test]
fn a_command_in_a_hint_is_whole() {
    let env = || vec![Flag::Local, Flag::Manifest("a b.toml".to_owned()), Flag::Env("x".to_owned())];
    for (flags, command, whole) in [
        (vec![], Verb::Down.into(), "deployer down"),
        (env(), Verb::Down.into(), "deployer down --local --manifest 'a b.toml' --env x"),
        (env(), Verb::Up.into(), "deployer up --local --manifest 'a b.toml' --env x --release"),
        (vec![], Verb::Plan.flag(Flag::Adopt), "deployer plan --release --adopt"),
        (vec![], Verb::Plan.flag(Flag::Release), "deployer plan --release"),
        (vec![Flag::Env("-x".to_owned())], Verb::Down.into(), "deployer down --env=-x"),
        // What leads to the local AWS leads nowhere else.
        (env(), Verb::LocalStop.into(), "deployer local stop --manifest 'a b.toml'"),
        (vec![Flag::LocalPort(1)], Verb::Down.into(), "deployer down"),
        (vec![Flag::LocalPort(1)], Verb::LocalStart.into(), "deployer local start --local-port 1"),
        (vec![Flag::LocalPort(1)], Verb::LocalStop.into(), "deployer local stop"),
        (env(), Verb::Init.into(), "deployer init --manifest 'a b.toml'"),
        (env(), Verb::Init.flag(Flag::Manifest("c".to_owned())), "deployer init --manifest c"),
    ] {
        assert_eq!(said(&flags, Hint::run(command)), [format!("Run `{whole}`.")]);
    }
}

#[test]
fn an_answer_of_awss_names_the_stack_too() {
    let error = Error::from(refusal("KMSAccessDeniedException", "no"));
    let hints = CommandLine::new(Verb::Status, vec![Flag::Local], Vec::new()).hints(&error);
    assert!(
        hints[0].ends_with(
            "`deployer plan --local` shows it, and `deployer up --local` makes the function again."
        )
    );
}

#[test]
fn this_run_is_repeated_whole_or_not_at_all() {
    let again = |verb| CommandLine::new(verb, vec![Flag::Local], Vec::new()).sentence(&Hint::run_again());
    assert_eq!(again(Verb::Down), "Run `deployer down --local` again: it goes on from here.");
    assert_eq!(again(Verb::Load), "Run the same command again: it goes on from here.");
}

#[test]
fn the_same_thing_to_do_is_said_once() {
    let error = Error::new("no").hint(Hint::run_again());
    let up = Hint::from("Run ").command(Verb::Up).text(" again: it goes on from here.");
    assert_eq!(crate::testing::hints(&error.hint(up)).len(), 1);
}
