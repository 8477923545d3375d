//! What arguments, files and answers say cannot steer the terminal.

use crate::{deployer, folder};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use support::deployer::Done;

/// An escape sequence, one of C1, an override of direction, a separator of lines.
const HOSTILE: &str = "\u{1b}[2J\u{9b}2J\u{202e}\u{2028}";

fn is_harmless(done: &Done) {
    for text in [&done.stdout, &done.stderr] {
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}', '\u{2028}']), "{done}");
    }
}

#[test]
fn a_refused_argument_is_quoted_without_its_escape_codes() {
    let folder = folder();
    let lines: [&[&str]; 4] =
        [&["up", "--timeout", HOSTILE], &[HOSTILE], &["load", "--mix", HOSTILE], &["invoke", HOSTILE]];
    for line in lines {
        let done = deployer(folder.path(), line).run();
        assert_ne!(done.code, Some(0), "{done}");
        assert!(!done.stderr.is_empty(), "{done}");
        is_harmless(&done);
    }
}

#[test]
fn a_manifest_is_quoted_without_its_escape_codes() {
    let folder = folder();
    for text in [
        format!("name = \"{HOSTILE}\"\n"),
        format!("\"{}\" = 1\n", "\\u001b[2J\\u009b2J\\u202e\\u2028"),
        format!("# {HOSTILE}\nname = 1 # {HOSTILE}\n"),
        "[functions.\"f\\u001b[2J\"]\nmemory = \"x\"\n".to_owned(),
    ] {
        std::fs::write(folder.path().join("stack.toml"), text).unwrap();
        is_harmless(&deployer(folder.path(), &["plan"]).run().exits(2));
        is_harmless(&deployer(folder.path(), &["plan", "--output", "json"]).run().exits(2));
    }
}

#[test]
fn an_error_of_aws_is_shown_without_its_escape_codes_and_on_one_line() {
    let folder = folder();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>\
                        <Message>no&#x9b;2J&#x202e;&#x2028;x\n\nNothing to change.</Message></Error></ErrorResponse>";
            let _ = write!(
                stream,
                "HTTP/1.1 403 Forbidden\r\ncontent-type: text/xml\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    let args = ["plan", "--endpoint-url", &url, "--region", "us-east-1"];
    let credentials = [("AWS_ACCESS_KEY_ID", "AKIATEST"), ("AWS_SECRET_ACCESS_KEY", "test")];
    let done =
        credentials.iter().fold(deployer(folder.path(), &args), |run, (name, value)| run.env(name, value));
    let done = done.run().exits(1);
    is_harmless(&done);
    assert!(done.stderr.contains("no\\u{9b}2J\\u{202e}\\u{2028}x Nothing to change."), "{done}");
}
