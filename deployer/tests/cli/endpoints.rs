//! Where calls go, and who answers there: one endpoint for everything, and every answer has a bound.

use crate::{deployer, folder, shown};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;
use support::deployer::Deployer;

const IDENTITY: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/x</Arn>\
                        <UserId>x</UserId><Account>123456789012</Account></GetCallerIdentityResult>\
                        </GetCallerIdentityResponse>";

/// What becomes of one request: an answer after a while, or none.
type Reply = Option<(Duration, String)>;

/// A server that does this with each request, one for each connection. It ends with the process.
fn server(reply: impl Fn(&str) -> Reply + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let reply = reply.clone();
            std::thread::spawn(move || serve(stream.unwrap(), &reply));
        }
    });
    url
}

fn serve(mut stream: TcpStream, reply: &impl Fn(&str) -> Reply) {
    let mut seen = Vec::new();
    let mut some = [0; 4096];
    // The body of a query request comes last, and has no line of its own.
    stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    while let Ok(read @ 1..) = stream.read(&mut some) {
        seen.extend_from_slice(&some[..read]);
    }
    match reply(&String::from_utf8_lossy(&seen)) {
        Some((after, answer)) => {
            wait(after);
            // Who has gone away does not listen.
            let _ = stream.write_all(answer.as_bytes());
        }
        None => wait(Duration::from_secs(600)),
    }
}

fn wait(length: Duration) {
    let (_nobody, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(length);
}

fn ok(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn run(folder: &Path, args: &[&str]) -> Deployer {
    deployer(folder, args)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "not a secret")
}

#[test]
fn an_answer_that_takes_longer_than_a_moment_is_waited_for() {
    let folder = folder();
    let url = server(|request| {
        let answer = if request.contains("GetCallerIdentity") { IDENTITY } else { "" };
        Some((Duration::from_secs(6), ok("text/xml", answer)))
    });
    fs::write(folder.path().join("stack.toml"), "allowed-accounts = [\"210987654321\"]").unwrap();
    let done = run(folder.path(), &["plan", "--endpoint-url", &url]).run().exits(1);
    assert!(done.stderr.contains("belong to account 123456789012"), "{done}");
    assert!(done.stderr.contains(&format!("waiting for {url} to answer")), "{done}");
}

#[test]
fn who_answers_once_and_never_again_is_waited_for_no_longer_than_the_timeout() {
    let folder = folder();
    let url = server(|request| {
        request.contains("GetCallerIdentity").then(|| (Duration::ZERO, ok("text/xml", IDENTITY)))
    });
    let done = run(folder.path(), &["status", "--timeout", "8s", "--endpoint-url", &url]).run().exits(1);
    assert!(done.took < Duration::from_secs(20), "{done}");
    assert!(done.stderr.contains("waiting for AWS to answer"), "{done}");
    assert!(done.stderr.contains("AWS did not answer within 8 s"), "{done}");
}

#[test]
fn a_page_of_somebody_elses_is_not_taken_for_aws() {
    let folder = folder();
    let page = "<!DOCTYPE html>\n<html>\n<head><title>Log in</title></head>\n<body>Welcome</body>\n</html>";
    let url = server(move |_| Some((Duration::ZERO, ok("text/html", page))));
    let done = run(folder.path(), &["plan", "--endpoint-url", &url]).run().exits(1);
    assert!(done.stderr.starts_with("trying ") || done.stderr.contains("error: "), "{done}");
    assert!(done.stderr.contains(&format!("error: the server at {url} is not AWS: ")), "{done}");
    assert!(!done.stderr.contains("Welcome"), "{done}");
}

#[test]
fn a_service_with_an_endpoint_of_its_own_is_refused() {
    let folder = folder();
    let variable =
        run(folder.path(), &["plan"]).env("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000").run();
    insta::assert_snapshot!(shown(&variable.exits(2)));
    fs::create_dir_all(folder.path().join(".aws")).unwrap();
    let profile =
        "[default]\nservices = own\n[services own]\nlambda =\n  endpoint_url = http://127.0.0.1:8000\n";
    fs::write(folder.path().join(".aws/config"), profile).unwrap();
    let profile = run(folder.path(), &["plan"]).run().exits(2);
    assert!(
        profile.stderr.starts_with("error: the calls of Lambda would go to http://127.0.0.1:8000, "),
        "{profile}"
    );
    // Nobody listens there, so that the ignored endpoint is not what is asked.
    let ignored = run(folder.path(), &["plan", "--endpoint-url", "http://127.0.0.1:9"])
        .env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        .run()
        .exits(1);
    assert!(ignored.stderr.contains("nothing answers at http://127.0.0.1:9"), "{ignored}");
}

#[test]
fn fips_endpoints_and_another_endpoint_do_not_go_together() {
    let folder = folder();
    let args = ["plan", "--endpoint-url", "http://127.0.0.1:9"];
    let done = run(folder.path(), &args).env("AWS_USE_FIPS_ENDPOINT", "true").run().exits(2);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_session_token_is_not_sent_unencrypted_without_the_word() {
    let folder = folder();
    // Reserved for documentation: nobody is there.
    let args = ["plan", "--endpoint-url", "http://192.0.2.1:4566", "--timeout", "1s"];
    let refused = run(folder.path(), &args).env("AWS_SESSION_TOKEN", "a-token").run().exits(2);
    insta::assert_snapshot!(shown(&refused));
    let allowed = run(folder.path(), &args).arg("--allow-plain-http").env("AWS_SESSION_TOKEN", "a-token");
    let _ = allowed.run().exits(1);
}

#[test]
fn certificates_that_cannot_be_used_are_refused() {
    let folder = folder();
    let bundle = folder.path().join("bundle.pem");
    let unreadable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (text, why) in [("", "there is no certificate in it"), (unreadable, "certificate 1 cannot be read")] {
        fs::write(&bundle, text).unwrap();
        let done = run(folder.path(), &["plan"]).env("AWS_CA_BUNDLE", &bundle).run().exits(2);
        assert!(
            done.stderr.starts_with("error: cannot use AWS_CA_BUNDLE ") && done.stderr.contains(why),
            "{done}"
        );
    }
}

#[test]
fn a_proxy_that_is_none_is_refused_without_its_password() {
    let folder = folder();
    for (name, value, why) in [
        ("HTTPS_PROXY", "http://me:secret@proxy example", "is not a URL"),
        ("http_proxy", "socks5://me:secret@proxy:1080", "names a SOCKS proxy"),
        ("ALL_PROXY", "ftp://me:secret@proxy", "is neither http nor https"),
    ] {
        let done = run(folder.path(), &["plan"]).env(name, value).run().exits(2);
        assert!(done.stderr.starts_with(&format!("error: {name} {why}")), "{done}");
        assert!(!done.stderr.contains("secret"), "{done}");
    }
}

#[test]
fn a_command_in_a_hint_names_the_same_stack() {
    let folder = folder();
    let args = ["plan", "--manifest", "it's here.toml", "--local-port", "4570", "--local", "--env", "x"];
    let done = deployer(folder.path(), &args).run().exits(2);
    let command = r"deployer init --manifest 'it'\''s here.toml'";
    assert!(done.stderr.contains(&format!("\n\nhint: `{command}` writes one to start from.\n")), "{done}");
    let init = Deployer::copied(folder.path(), command).run().succeeds();
    let up = r"`deployer up --manifest 'it'\''s here.toml'` makes it.";
    assert!(init.stderr.contains(up) && folder.path().join("it's here.toml").is_file(), "{init}");
    // What is wrong stays as it is.
    fs::write(folder.path().join("stack.toml"), "name = 1").unwrap();
    let done = deployer(folder.path(), &["plan"]).run().exits(2);
    assert!(done.stderr.contains("hint: `deployer init --manifest example.toml` writes"), "{done}");
    let _ = Deployer::copied(folder.path(), "deployer init --manifest example.toml").run().succeeds();
}
