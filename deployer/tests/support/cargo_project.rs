//! Cargo projects that a test makes for itself: functions without a single dependency, so that each is compiled in a moment.

use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A Lambda runtime in a few lines. `ping` is answered with `pong`, everything else with the value of `ANSWER`, an expression.
const MAIN: &str = r#"use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

fn answer() -> String {
    ANSWER
}

fn main() {
    let host = std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap();
    let mut api = BufReader::new(TcpStream::connect(&host).unwrap());
    loop {
        let (id, event) = ask(&mut api, &host, "GET", "next", "");
        let answer = if event.contains("ping") { "pong".to_owned() } else { answer() };
        ask(&mut api, &host, "POST", &format!("{id}/response"), &format!("{answer:?}"));
    }
}

/// The request's id and the body of the answer.
fn ask(api: &mut BufReader<TcpStream>, host: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let length = body.len();
    let request = format!(
        "{method} /2018-06-01/runtime/invocation/{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    api.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut id, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        api.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() { break } else { continue }
        };
        match name.to_ascii_lowercase().as_str() {
            "lambda-runtime-aws-request-id" => id = value.to_owned(),
            "content-length" => length = value.parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    api.read_exact(&mut body).unwrap();
    (id, String::from_utf8(body).unwrap())
}
"#;

/// A function's `main.rs`, which answers with the value of this expression, a `String`.
pub fn answering(expression: &str) -> String {
    MAIN.replace("ANSWER", expression)
}

/// The manifest of a package, as `cargo new` writes it.
pub fn package(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[dependencies]\n")
}

/// A folder with a Cargo project in it.
#[derive(Debug)]
pub struct CargoProject {
    folder: TempDir,
    name: String,
}

impl CargoProject {
    /// An empty one, in a folder of this name.
    pub fn empty(name: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("deployer-test-").tempdir().unwrap();
        let project = Self { folder, name: name.to_owned() };
        std::fs::create_dir(project.root()).unwrap();
        project
    }

    /// As `cargo new` makes it, with a function of one file that answers `one`.
    pub fn new(package_name: &str) -> Self {
        let project = Self::empty(package_name);
        project.write("Cargo.toml", &package(package_name));
        project.write("src/main.rs", &answering("\"one\".to_owned()"));
        project
    }

    /// The project's folder.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join(&self.name)
    }

    /// A path beside the project's folder.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A file of it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// Writes a file of it, with the folders that it needs.
    pub fn write(&self, name: &str, text: &str) {
        write(&self.path(name), text);
    }

    /// Its manifest. Nothing needs to be in it; without a file, `--manifest` would be refused.
    pub fn manifest(&self) -> PathBuf {
        let manifest = self.path("stack.toml");
        if !manifest.exists() {
            write(&manifest, "");
        }
        manifest
    }
}

/// Writes a file with the folders that it needs.
pub fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}
