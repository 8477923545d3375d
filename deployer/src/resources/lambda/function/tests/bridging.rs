//! Another runtime: between the call that changes the code and the one that changes the runtime, requests go on.

use super::*;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use std::io::{Cursor, Read as _, Write as _};
use std::net::TcpListener;
use zip::write::SimpleFileOptions;

pub(super) fn zip(file: &str) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(file, SimpleFileOptions::default()).unwrap();
    writer.write_all(b"code").unwrap();
    writer.finish().unwrap().into_inner()
}

/// The names in the zip of each upload.
fn uploads(world: &World) -> Vec<Vec<String>> {
    let bodies = world.sent.bodies("UpdateFunctionCode");
    let names = |body: &Value| {
        let zip = BASE64_STANDARD.decode(body["ZipFile"].as_str().unwrap()).unwrap();
        let zip = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        zip.file_names().map(|name| name.unwrap().into_owned()).collect()
    };
    bodies.iter().map(names).collect()
}

/// A Python function, whose code is at this address.
fn python(location: &str) -> Answer {
    done(json!({
        "Configuration": configured(|function| {
            function["Runtime"] = json!("python3.13");
            function["Handler"] = json!("main.handler");
            function["CodeSha256"] = json!("old");
        }),
        "Code": { "RepositoryType": "S3", "Location": location },
        "Tags": tags(),
    }))
}

fn both_updates(codes: usize) -> Vec<Rule> {
    vec![
        answers(mock!(Client::update_function_code), std::iter::repeat_n(ok(), codes)),
        answers(mock!(Client::update_function_configuration), [ok()]),
    ]
}

/// Answers so many requests with these bytes, and gives the address to ask at: the plan asks for the first byte, and the
/// change for all of them.
pub(super) fn serve(requests: usize, bytes: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/code", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for _ in 0..requests {
            let (mut stream, _) = listener.accept().unwrap();
            let read = stream.read(&mut [0; 4096]).unwrap();
            assert_ne!(read, 0);
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", bytes.len())
                .unwrap();
            stream.write_all(&bytes).unwrap();
        }
    });
    url
}

#[tokio::test]
async fn code_for_both_runtimes_serves_until_the_runtime_is_changed() {
    let url = serve(2, zip("main.py"));
    let new = (role("AROA1", false), Some(Package::of(zip("bootstrap"))));
    let world = world([python(&url)], [ready(), ready(), ready()], both_updates(2));
    up(&world, &function(), new).await.unwrap();
    assert_eq!(
        world.mutations(),
        ["UpdateFunctionCode", "UpdateFunctionConfiguration", "UpdateFunctionCode"]
    );
    assert_eq!(uploads(&world), [vec!["main.py", "bootstrap"], vec!["bootstrap"]]);
}

#[tokio::test]
async fn old_code_that_cannot_be_had_is_done_without() {
    // Nobody listens there any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/code", listener.local_addr().unwrap());
    drop(listener);
    let new = (role("AROA1", false), Some(Package::of(zip("bootstrap"))));
    let world = world([python(&url)], [ready(), ready()], both_updates(1));
    let (_, record) = world.step(Mode::Apply, &function(), new).await;
    assert_eq!(record.result.unwrap(), Outcome::Updated);
    assert_eq!(world.mutations(), ["UpdateFunctionCode", "UpdateFunctionConfiguration"]);
    assert_eq!(uploads(&world), [["bootstrap"]]);
    let said = record.changes.iter().find(|change| is_about(change, "code-with-a-gap")).unwrap();
    let meaning = said.means(Kind::Function).unwrap();
    assert!(meaning.contains("requests fail until"), "{meaning}");
}

#[tokio::test]
async fn old_code_that_vanishes_after_the_plan_changes_nothing() {
    let url = serve(1, zip("main.py"));
    let new = (role("AROA1", false), Some(Package::of(zip("bootstrap"))));
    let world = world([python(&url)], [], vec![]);
    let error = up(&world, &function(), new).await.unwrap_err();
    assert!(error.to_string().starts_with("the old code, which answers requests"), "{error}");
    assert_eq!(world.mutations(), [""; 0]);
}

#[tokio::test]
async fn code_that_only_changes_with_its_runtime_needs_no_bridge() {
    let new = (role("AROA1", false), Some(package()));
    let seen = found(|function| function["Handler"] = json!("main.handler"));
    let changes = function()
        .diff(Some(&new), world([seen], [], vec![]).observe(&function()).await.unwrap().as_ref())
        .changes();
    assert!(changes.iter().all(|change| is_about(change, "handler")), "{changes:?}");
}
