//! A project of its own for one test: a manifest, and a function that is ready at once.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use zip::write::SimpleFileOptions;

/// The lab, with a zip instead of a Cargo package: packaging takes nothing then.
const MANIFEST: &str = r#"
[functions.LambdaFunctionOverHttps]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
lab = true
"#;

/// A runtime in a few lines. `ANSWER` stands for a Python expression.
const RUNTIME: &str = r#"#!/usr/bin/env -S python3 -ISs
import http.client, json, os

api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
    api.request("GET", "/2018-06-01/runtime/invocation/next")
    answer = api.getresponse()
    event = json.loads(answer.read())
    request = answer.headers["Lambda-Runtime-Aws-Request-Id"]
    way, result = ANSWER
    api.request("POST", f"/2018-06-01/runtime/invocation/{request}/{way}", json.dumps(result))
    api.getresponse().read()
"#;

/// A folder with a manifest and the function's code.
#[derive(Debug)]
pub struct Project(TempDir);

impl Project {
    /// The lab.
    pub fn new() -> Self {
        let project = Self(tempfile::Builder::new().prefix("deployer-test-").tempdir().unwrap());
        project.write("stack.toml", MANIFEST);
        project.set_version("1");
        project
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The manifest's path.
    pub fn manifest(&self) -> PathBuf {
        self.folder().join("stack.toml")
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder().join(name), text).unwrap();
    }

    /// The manifest's lines, and these.
    pub fn declare(&self, more: &str) {
        self.write("stack.toml", &format!("{MANIFEST}{more}"));
    }

    /// Changes the function's code, and nothing else: it answers `ping` as the real function does, and everything else with
    /// this version.
    pub fn set_version(&self, version: &str) {
        let pong = r#"("response", "pong")"#;
        self.set_answer(&format!(
            r#"{pong} if event.get("operation") == "ping" else ("response", "{version}")"#
        ));
    }

    /// The function answers each `event` with this Python expression: `"response"` or `"error"`, and a value for JSON.
    pub fn set_answer(&self, expression: &str) {
        self.set_code(&RUNTIME.replace("ANSWER", expression));
    }

    /// The function is this script from now on.
    pub fn set_code(&self, bootstrap: &str) {
        let file = std::fs::File::create(self.folder().join("handler.zip")).unwrap();
        let mut zip = zip::ZipWriter::new(file);
        let options = SimpleFileOptions::default().unix_permissions(0o755);
        zip.start_file("bootstrap", options).unwrap();
        zip.write_all(bootstrap.as_bytes()).unwrap();
        zip.finish().unwrap();
    }
}

impl Default for Project {
    fn default() -> Self {
        Self::new()
    }
}
