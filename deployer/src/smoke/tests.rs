//! What a URL answers one after the other, and what that proves. The clock is the real one: these are real requests.

use super::*;
use crate::engine::{Engine, Id, Kind, Mode};
use crate::lab::ping;
use crate::proof::ExpectedAnswer;
use crate::testing::World;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;
use tokio::time::Instant;

const NOT_YET: (u16, &str) = (403, r#"{"message":"Missing Authentication Token"}"#);
const PONG: &str = "\"pong\"";
const GOOD: (u16, &str) = (200, PONG);

/// A URL that gives these answers, one to each connection, and then says what it was asked.
fn serve(answers: &'static [(u16, &'static str)]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/Prod/path", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let length = stream.read(&mut request).unwrap();
            assert_ne!(length, 0);
            requests.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
            )
            .unwrap();
        }
        requests
    });
    (url, serving)
}

async fn tested(answers: &'static [(u16, &'static str)], changed: bool, within: Duration) -> Result<()> {
    let world = World::new();
    let (url, serving) = serve(answers);
    let deadline = Instant::now() + within;
    let go = Engine::new(&world.aws, &world.recorder, &world.stop, Mode::Apply, deadline);
    let result = go
        .read(Id::new(Kind::SmokeTest, "ping"), async |step| test(step, &url, &ping("/path"), changed).await)
        .await;
    // It has asked as often as there were answers: a request more would have failed, one less would hang here.
    serving.join().unwrap();
    result
}

/// For some seconds a new stage is known to some edges only.
#[tokio::test]
async fn a_look_tells_what_there_is_instead() {
    let world = World::new();
    let (url, serving) = serve(&[GOOD, (429, "Too Many Requests")]);
    assert_eq!(look(&world.aws.http, &url, &ping("/path")).await, None);
    let said = "HTTP 429 Too Many Requests".to_owned();
    assert_eq!(look(&world.aws.http, &url, &ping("/path")).await, Some(Instead { status: Some(429), said }));
    serving.join().unwrap();
    assert_eq!(
        look(&world.aws.http, &url, &ping("/path")).await.and_then(|instead| instead.status),
        None,
        "nobody listens"
    );
}

#[tokio::test]
async fn after_a_change_it_takes_several_good_answers_in_a_row() {
    let answers = &[NOT_YET, GOOD, NOT_YET, GOOD, GOOD, GOOD];
    tested(answers, true, Duration::from_secs(60)).await.unwrap();
}

const THROTTLED: (u16, &str) = (429, r#"{"message":"Too Many Requests"}"#);

/// `throttle = { rate = 1, burst = 1 }` lets the first of three through.
#[tokio::test]
async fn a_request_that_is_one_too_many_has_reached_the_stage() {
    tested(&[NOT_YET, GOOD, THROTTLED, THROTTLED], true, Duration::from_secs(60)).await.unwrap();
    tested(&[THROTTLED, THROTTLED, THROTTLED, GOOD], true, Duration::from_secs(60)).await.unwrap();
    tested(&[GOOD, THROTTLED, NOT_YET, GOOD, GOOD, GOOD], true, Duration::from_secs(60)).await.unwrap();
}

/// A load may go on at the same time.
#[tokio::test]
async fn a_stage_that_only_turns_away_is_no_failure() {
    tested(&[THROTTLED], false, Duration::ZERO).await.unwrap();
    let error = tested(&[THROTTLED], true, Duration::ZERO).await.unwrap_err();
    assert!(error.to_string().contains("Too Many Requests"), "not often enough: {error}");
}

/// A server that keeps connections sees one for each request.
#[tokio::test]
async fn each_request_opens_a_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        // They stay open, so that a second request could come by any of them.
        let answer = |mut stream: std::net::TcpStream| {
            assert_ne!(stream.read(&mut [0; 4096]).unwrap(), 0);
            write!(stream, "HTTP/1.1 200 X\r\ncontent-length: {}\r\n\r\n{PONG}", PONG.len()).unwrap();
            stream
        };
        let open: Vec<_> = (0..3).map(|_| answer(listener.accept().unwrap().0)).collect();
        open.len()
    });
    let world = World::new();
    let id = Id::new(Kind::SmokeTest, "ping");
    world
        .engine(Mode::Apply)
        .read(id, async |step| test(step, &url, &ping("/path"), true).await)
        .await
        .unwrap();
    assert_eq!(serving.join().unwrap(), 3);
}

/// A request with a method and an answer of its own.
#[tokio::test]
async fn a_proof_says_what_is_sent_and_what_counts() {
    let world = World::new();
    let (url, serving) = serve(&[(204, ""), (200, "all is well"), (200, "nothing is well"), (404, "well")]);
    let proof = |expected: Option<&str>| Proof {
        name: "GET /path".to_owned(),
        method: "GET".to_owned(),
        body: String::new(),
        expected: ExpectedAnswer::Success(expected.map(str::to_owned)),
        ..ping("/path")
    };
    assert_eq!(look(&world.aws.http, &url, &proof(None)).await, None);
    assert_eq!(look(&world.aws.http, &url, &proof(Some("all is"))).await, None);
    for said in ["HTTP 200 nothing is well", "HTTP 404 well"] {
        let instead = look(&world.aws.http, &url, &proof(Some("all is"))).await;
        assert_eq!(instead.map(|instead| instead.said).as_deref(), Some(said));
    }
    let requests = serving.join().unwrap();
    assert!(requests.iter().all(|request| request.starts_with("GET /Prod/path HTTP/1.1")), "{requests:?}");
}

#[tokio::test]
async fn without_a_change_one_good_answer_will_do() {
    tested(&[GOOD], false, Duration::from_secs(60)).await.unwrap();
}

#[tokio::test]
async fn what_it_says_instead_is_said_and_explained() {
    let cases: [(&'static [(u16, &str)], &str); 2] = [
        (&[NOT_YET], "The stage does not know the path yet"),
        (&[(500, r#"{"message": "Internal server error"}"#)], "API Gateway may not invoke the function"),
    ];
    for (answers, hint) in cases {
        let error = tested(answers, true, Duration::ZERO).await.unwrap_err();
        let (status, body) = answers[0];
        assert!(error.to_string().contains(&format!("it says: HTTP {status} {body}")), "{error}");
        assert!(
            crate::testing::hints(&error).iter().any(|said| said.contains(hint)),
            "{:?}",
            crate::testing::hints(&error)
        );
    }
}

/// A proxy's or a sign-in page.
#[tokio::test]
async fn a_page_of_somebodys_is_an_error_of_one_line() {
    const PAGE: &str = "<!DOCTYPE html>\r\n<html>\n\t<head>\n<title>Sign in</title>\n</head>\n\n<body>\n<h1>Hotel\u{1b}[2J</h1>\n";
    for status in [200, 302, 503] {
        let answers: &'static [(u16, &str)] = Box::leak(Box::new([(status, PAGE)]));
        let error = tested(answers, true, Duration::ZERO).await.unwrap_err();
        let said = error.to_string();
        let expected = format!("it says: HTTP {status} <!DOCTYPE html> <html> <head> <title>Sign in</title>");
        assert!(said.contains(&expected) && !said.contains(['\n', '\r', '\t']), "{said}");
    }
}
