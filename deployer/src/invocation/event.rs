//! Reads the event to send: an operation of the lab's function, JSON on the command line, a file or stdin. The event is
//! checked before it is sent.

use crate::error::{Error, Hint, Result, Verb};
use crate::files;
use crate::lab;
use crate::time::{Stop, unless_stopped};
use serde::de::IgnoredAny;
use std::io::Read;

/// The largest event of a synchronous invocation, in bytes: a quota of Lambda.
const MAX_EVENT_SIZE: usize = 6_291_456;

/// The function that receives the event. Only the lab's function has operations.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Receiver<'a> {
    /// The lab's function, with the table for its operations.
    Lab { table: Option<&'a str> },
    /// Another function, by its name in the manifest.
    Other { function: &'a str },
}

impl Receiver<'_> {
    fn forms_hint(self) -> &'static str {
        match self {
            Self::Lab { .. } => {
                "An event is one word (an operation, like ping), JSON that begins with {, the path of a file, or - for stdin."
            }
            Self::Other { .. } => "An event is JSON that begins with {, the path of a file, or - for stdin.",
        }
    }
}

/// Returns the text of the event.
///
/// # Errors
/// An event that cannot be read, is not JSON, or is too large; an operation for a function that is not the lab's; Ctrl-C
/// while stdin or a pipe is read.
pub(crate) async fn read(
    event: &str,
    payload: Option<&str>,
    receiver: Receiver<'_>,
    stop: &Stop,
) -> Result<String> {
    let forms_hint = receiver.forms_hint();
    if is_word(event) {
        let event = operation_event(event, payload, receiver)?;
        check_size(event.len(), "the event")?;
        return Ok(event);
    }
    if payload.is_some() {
        return Err(
            Error::usage(format!("only an operation takes a payload, and {event} is none")).hint(forms_hint)
        );
    }
    let (bytes, source) = if event == "-" {
        let stdin = read_in_thread(stop, || read_limited(std::io::stdin().lock())).await?;
        (stdin.map_err(|e| Error::usage(format!("cannot read stdin: {e}")))?, "stdin")
    } else if event.trim_start().starts_with(['{', '[', '"']) {
        (event.as_bytes().to_vec(), "the event")
    } else {
        let path = event.to_owned();
        let file = read_in_thread(stop, || std::fs::File::open(path).and_then(read_limited)).await?;
        let unreadable = |e| Error::usage(format!("cannot read {event}: {e}")).hint(forms_hint);
        (file.map_err(unreadable)?, event)
    };
    check_size(bytes.len(), source)?;
    check_json(decode(bytes, source)?, source)
}

/// Returns whether the argument is a word, which is an operation and not a path.
fn is_word(event: &str) -> bool {
    event.starts_with(|c: char| c.is_ascii_alphabetic())
        && event.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn operation_event(operation: &str, payload: Option<&str>, receiver: Receiver<'_>) -> Result<String> {
    let table = match receiver {
        Receiver::Lab { table } => table,
        Receiver::Other { function } => {
            let message = format!(
                "{operation} would be an operation of the lab's function, and the function {function} is not the lab's"
            );
            let file = Hint::from("Write the event into a file, and run ")
                .command(Verb::Invoke.argument("event.json"));
            return Err(Error::usage(message)
                .hint(file.text("."))
                .hint(format!("A file of that name is ./{operation}.")));
        }
    };
    let payload = payload.map(|payload| check_json(payload.to_owned(), "the payload")).transpose()?;
    Ok(lab::event(operation, table, payload.as_deref()))
}

fn check_size(bytes: usize, source: &str) -> Result<()> {
    if bytes <= MAX_EVENT_SIZE {
        return Ok(());
    }
    Err(Error::usage(format!("{source} is larger than the {MAX_EVENT_SIZE} bytes (6 MB) that Lambda takes"))
        .hint("Nothing was sent."))
}

fn decode(bytes: Vec<u8>, source: &str) -> Result<String> {
    files::decode(bytes)
        .map_err(|e| Error::usage(format!("{source} is not JSON: {e}")).hint("Nothing was sent."))
}

fn check_json(text: String, source: &str) -> Result<String> {
    match serde_json::from_str::<IgnoredAny>(&text) {
        Ok(_) => Ok(text),
        Err(e) => Err(Error::usage(format!("{source} is not JSON: {e}")).hint("Nothing was sent.")),
    }
}

/// Reads everything, or enough to know that it is too large.
fn read_limited(reader: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(MAX_EVENT_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads in a separate thread, so that Ctrl-C works while stdin or a named pipe blocks. The thread then ends with the
/// process.
async fn read_in_thread(
    stop: &Stop,
    read: impl FnOnce() -> std::io::Result<Vec<u8>> + Send + 'static,
) -> Result<std::io::Result<Vec<u8>>> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let _ = sender.send(read());
    });
    Ok(unless_stopped(stop, receiver).await?.unwrap_or_else(|_| Ok(Vec::new())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    async fn event(event: &str, payload: Option<&str>) -> Result<String> {
        read(event, payload, Receiver::Lab { table: None }, &Stop::default()).await
    }

    #[tokio::test]
    async fn a_word_is_an_operation_and_its_payload_stays_unchanged() {
        let exact = r#"{ "n": 1.50, "big": 12345678901234567890.123456789, "n": 1E400 }"#;
        let cases = [
            ("ping", None, r#"{"operation":"ping"}"#.to_owned()),
            ("echo", Some(exact), format!(r#"{{"operation":"echo","payload":{exact}}}"#)),
            ("echo", Some("null"), r#"{"operation":"echo","payload":null}"#.to_owned()),
            ("my-own_2", Some("[]"), r#"{"operation":"my-own_2","payload":[]}"#.to_owned()),
        ];
        for (operation, payload, expected) in cases {
            assert_eq!(event(operation, payload).await.unwrap(), expected);
        }
        let with_table =
            read("list", Some("{}"), Receiver::Lab { table: Some("items") }, &Stop::default()).await.unwrap();
        assert_eq!(with_table, r#"{"operation":"list","tableName":"items","payload":{}}"#);
    }

    #[tokio::test]
    async fn a_function_that_is_not_the_labs_takes_no_operations() {
        let other = Receiver::Other { function: "Web" };
        let error = read("ping", None, other, &Stop::default()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "ping would be an operation of the lab's function, and the function Web is not the lab's"
        );
        assert_eq!(error.kind(), ErrorKind::Usage);
        let error = read("{}", Some("{}"), other, &Stop::default()).await.unwrap_err();
        assert_eq!(error.to_string(), "only an operation takes a payload, and {} is none");
        assert_eq!(read(r#"{"a": 1}"#, None, other, &Stop::default()).await.unwrap(), r#"{"a": 1}"#);
    }

    #[tokio::test]
    async fn json_and_files_are_sent_as_they_are() {
        for json in [r#"{"a": 1.50}"#, " {}", "[1]", r#""text""#] {
            assert_eq!(event(json, None).await.unwrap(), json);
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ping");
        std::fs::write(&file, "{\n  \"a\": 1.50\n}\n").unwrap();
        assert_eq!(event(file.to_str().unwrap(), None).await.unwrap(), "{\n  \"a\": 1.50\n}\n");
        std::fs::write(&file, "\u{feff}{}").unwrap();
        assert_eq!(event(file.to_str().unwrap(), None).await.unwrap(), "{}", "without its byte order mark");
    }

    #[tokio::test]
    async fn refuses_invalid_events_with_their_position() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let broken = write("broken.json", b"{\n  \"a\": 1,\n}");
        let empty = write("empty.json", b"");
        let binary = write("binary.json", b"{\"a\":\"\xff\"}");
        let utf16 = write("utf16.json", b"\xff\xfe{\0}\0");
        let cases = [
            ("missing.json", None, "cannot read missing.json: No such file"),
            ("ping pong", None, "cannot read ping pong: No such file"),
            ("", None, "cannot read : No such file"),
            (folder.path().to_str().unwrap(), None, "Is a directory"),
            (broken.as_str(), None, "broken.json is not JSON: key must be a string at line 3 column 1"),
            (empty.as_str(), None, "empty.json is not JSON: EOF while parsing a value at line 1 column 0"),
            (binary.as_str(), None, "binary.json is not JSON: byte 7 is not UTF-8"),
            (utf16.as_str(), None, "utf16.json is not JSON: it is in UTF-16; save it as UTF-8"),
            ("{a}", None, "the event is not JSON: key must be a string at line 1 column 2"),
            ("echo", Some("{"), "the payload is not JSON: EOF while parsing an object at line 1 column 1"),
            ("echo", Some("1}, {"), "the payload is not JSON: trailing characters at line 1 column 2"),
            ("{}", Some("{}"), "only an operation takes a payload, and {} is none"),
        ];
        for (first, payload, message) in cases {
            let error = event(first, payload).await.unwrap_err();
            assert!(error.to_string().contains(message), "{first}: {error}");
            assert_eq!(error.kind(), ErrorKind::Usage, "{first}");
        }
    }

    #[tokio::test]
    async fn accepts_six_megabytes_and_refuses_one_byte_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("large.json");
        let of_size = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
        std::fs::write(&path, of_size(MAX_EVENT_SIZE)).unwrap();
        assert_eq!(event(path.to_str().unwrap(), None).await.unwrap().len(), MAX_EVENT_SIZE);
        std::fs::write(&path, of_size(MAX_EVENT_SIZE + 1)).unwrap();
        let payload = of_size(MAX_EVENT_SIZE - 10);
        for refused in [event(path.to_str().unwrap(), None).await, event("echo", Some(&payload)).await] {
            let error = refused.unwrap_err();
            assert!(error.to_string().contains("6291456 bytes (6 MB)"), "{error}");
        }
    }

    #[tokio::test]
    async fn ctrl_c_works_while_a_named_pipe_blocks() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let stop = Stop::default();
        stop.set();
        let error =
            read(pipe.to_str().unwrap(), None, Receiver::Lab { table: None }, &stop).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Partial, "{error}");
        // This ends the thread that waits for a writer.
        drop(std::fs::OpenOptions::new().read(true).write(true).open(&pipe).unwrap());
    }
}
