//! The local AWS on a machine that cannot run it, or where something else has its port, its process or its endpoint.

use crate::{deployer, folder, shown};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command};
use support::deployer::{Deployer, Done};
use support::emulator::{Emulator, free_port};
use support::repository;

fn start(folder: &Path, port: u16) -> Deployer {
    deployer(folder, &["local", "start", "--local-port", &port.to_string()])
}

#[test]
fn no_python() {
    let folder = folder();
    let done = start(folder.path(), free_port()).env("PATH", folder.path()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_python_without_the_local_aws() {
    let tools = folder();
    let folder = folder();
    // The interpreter that the virtual environment was made from knows nothing of what is installed into it.
    let python = repository().join(".venv/bin/python").canonicalize().unwrap();
    std::os::unix::fs::symlink(python, tools.path().join("python3")).unwrap();
    let done = start(folder.path(), free_port()).env("PATH", tools.path()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_port_that_something_else_has() {
    let folder = folder();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let done = start(folder.path(), other.local_addr().unwrap().port()).run().exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_port_that_another_local_aws_has() {
    let folder = folder();
    let other = Emulator::start();
    let port = other.port().to_string();
    let done = deployer(folder.path(), &["up", "--local", "--local-port", &port]).run().exits(1);
    insta::assert_snapshot!(shown(&done));
    assert!(other.lookup().everything().is_empty(), "another one's state is not for us");
}

/// Runs a verb of `local` without any word about the port.
fn verb(aws: &Emulator, verb: &str, more: &[&str]) -> Done {
    let state = aws.state();
    deployer(aws.folder(), &["local", verb, "--local-state"]).arg(state).args(more).run()
}

#[test]
fn a_second_one_on_one_state_says_where_the_first_runs() {
    let aws = Emulator::start();
    let again = verb(&aws, "start", &[]).succeeds();
    assert_eq!(again.stdout.trim(), aws.url(), "whatever its port is: {again}");
    assert!(again.stderr.contains("it ran already"), "{again}");
    let _ = verb(&aws, "start", &["--local-port", "0"]).succeeds();
    let refused = verb(&aws, "start", &["--local-port", &free_port().to_string()]).exits(1);
    insta::assert_snapshot!(shown(&refused));
}

#[test]
fn status_says_how_other_programs_get_in() {
    let aws = Emulator::start();
    let status = verb(&aws, "status", &[]).succeeds();
    assert!(!format!("{status}").contains(aws.access().secret()), "{status}");
    insta::assert_snapshot!(shown(&status));
}

#[test]
fn status_and_stop_of_what_does_not_run() {
    let folder = folder();
    let port = free_port().to_string();
    let run = |verb: &str| deployer(folder.path(), &["local", verb, "--local-port", &port]).run().succeeds();
    insta::assert_snapshot!(["status", "stop", "logs", "reset"].map(|verb| shown(&run(verb))).join("\n"));
}

/// A process of the person's that is none of ours, and ends with the test.
struct Bystander(Child);

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn stop_ends_no_other_process_whatever_a_record_or_a_stranger_says() {
    let folder = folder();
    let mut bystander = Bystander(Command::new("sleep").arg("60").spawn().unwrap());
    let pid = bystander.0.id();
    let stranger = Stranger::answering(&format!(r#"{{"status":"completed","pid":{pid},"state":""}}"#));
    let state = folder.path().join(".deployer/local");
    std::fs::create_dir_all(&state).unwrap();
    let record = format!(r#"{{"pid": {pid}, "port": {}, "ready": true}}"#, stranger.port);
    std::fs::write(state.join("running"), record).unwrap();
    let port = stranger.port.to_string();
    for verb in ["status", "stop"] {
        let done = deployer(folder.path(), &["local", verb, "--local-port", &port]).run().succeeds();
        assert!(format!("{done}").contains("not run"), "{done}");
    }
    assert!(bystander.0.try_wait().unwrap().is_none(), "it lives");
    assert!(stranger.asked().is_empty(), "and the stranger was not asked");
}

/// Somebody who has taken a port, and gives everybody one answer.
struct Stranger {
    port: u16,
    asked: std::sync::mpsc::Receiver<String>,
}

impl Stranger {
    fn answering(body: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let answer =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
        let (say, asked) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
                let _ = stream.write_all(answer.as_bytes());
                if say.send(head.join("\n")).is_err() {
                    return;
                }
            }
        });
        Self { port, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.try_iter().collect()
    }
}

#[test]
fn a_stranger_at_the_endpoint_is_told_nothing() {
    let aws = Emulator::start();
    let proof = format!(r#"{{"proof":"{}"}}"#, "0".repeat(64));
    for body in ["{}", &proof] {
        let stranger = Stranger::answering(body);
        let url = format!("http://127.0.0.1:{}", stranger.port);
        let up = deployer(aws.folder(), &["up", "--yes", "--local", "--endpoint-url", &url, "--local-state"]);
        let refused = up.arg(aws.state()).run().exits(1);
        assert!(refused.stderr.contains("is not the local AWS of"), "{refused}");
        let asked = stranger.asked();
        assert!(
            matches!(&asked[..], [one] if one.starts_with("GET /_local_aws/proof?challenge=")),
            "{asked:?}"
        );
        let secret = aws.access().secret().to_owned();
        assert!(!asked[0].contains(&secret) && !asked[0].contains("uthorization"), "{asked:?}");
    }
}

#[test]
fn a_project_may_lie_in_a_folder_of_any_name() {
    let outer = folder();
    let project = outer.path().join("it's $(touch broken) `x` a:b");
    std::fs::create_dir(&project).unwrap();
    // Its virtual environment has no place in a list of folders.
    std::os::unix::fs::symlink(repository().join(".venv"), project.join(".venv")).unwrap();
    let run = |args: &[&str]| deployer(&project, args).env("PATH", "/usr/bin:/bin").run();
    let started = run(&["local", "start", "--local-port", "0"]);
    let planned = run(&["plan", "--local", "--manifest", "stack.toml"]);
    let status = run(&["local", "status"]);
    let stopped = run(&["local", "stop"]);
    assert_eq!(started.code, Some(0), "{started}");
    assert!(planned.stderr.contains("stack.toml"), "{planned}");
    assert!(status.stderr.contains(r"it'\''s $(touch broken)"), "{status}");
    assert!(stopped.stderr.contains("Stopped."), "{stopped}");
    assert!(!project.join("broken").exists() && !outer.path().join("broken").exists());
}

#[test]
fn variables_for_fips_and_dual_stack_endpoints_mean_aws() {
    let aws = Emulator::start();
    let project = support::project::Project::new();
    let plan = aws.deployer(&project.manifest(), &["plan", "--local"]);
    let plan =
        plan.env("AWS_USE_FIPS_ENDPOINT", "true").env("AWS_USE_DUALSTACK_ENDPOINT", "true").run().succeeds();
    assert!(plan.stdout.contains("to create"), "{plan}");
}

#[test]
fn nobody_else_can_look_into_the_state_of_an_older_version() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = folder();
    let state = folder.path().join(".deployer/local");
    std::fs::create_dir_all(state.join("data")).unwrap();
    std::fs::write(state.join("log"), "").unwrap();
    std::fs::write(state.join("data/lambda.json"), "{}").unwrap();
    let start = deployer(folder.path(), &["local", "start", "--local-port", "0"]).run();
    let mode = |name: &str| std::fs::metadata(state.join(name)).unwrap().permissions().mode() & 0o777;
    let modes =
        ["", "data", "launcher", "log", "lock", "credentials", "running", "data/lambda.json"].map(mode);
    let stopped = deployer(folder.path(), &["local", "stop"]).run();
    assert_eq!((start.code, stopped.code), (Some(0), Some(0)), "{start}{stopped}");
    assert_eq!(modes, [0o700, 0o700, 0o700, 0o600, 0o600, 0o600, 0o600, 0o600]);
}
