//! Who am I, where am I, and is anybody there: each answered within the patience of a person.

use crate::{deployer, folder, shown};
use std::net::TcpListener;
use std::time::Duration;
use support::deployer::{Deployer, Done};
use support::emulator::free_port;
use support::proxy::{At, Fault, Proxy};

/// Nobody should look at a still screen for longer. The instance's metadata service is asked too, as for everybody.
const PATIENCE: Duration = Duration::from_secs(5);

fn in_time(run: Deployer) -> Done {
    let done = run.run();
    assert!(done.took < PATIENCE, "took too long: {done}");
    done
}

fn with_credentials(run: Deployer) -> Deployer {
    run.env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").env("AWS_SECRET_ACCESS_KEY", "not a secret")
}

/// What may be at the address where an instance's metadata service is: whatever this machine has there, nobody, and
/// somebody who never answers, which is how a packet filter looks.
fn metadata_services() -> [(Option<String>, Option<TcpListener>); 3] {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = |port: u16| Some(format!("http://127.0.0.1:{port}"));
    [(None, None), (at(free_port()), None), (at(silent.local_addr().unwrap().port()), Some(silent))]
}

fn with_metadata(run: Deployer, endpoint: Option<&String>) -> Deployer {
    match endpoint {
        Some(endpoint) => run.env("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint),
        None => run,
    }
}

#[test]
fn no_credentials() {
    let folder = folder();
    for (metadata, _listener) in metadata_services() {
        let run = deployer(folder.path(), &["plan", "--region", "us-east-1"]);
        let done = in_time(with_metadata(run, metadata.as_ref())).exits(1);
        insta::assert_snapshot!("no_credentials", shown(&done));
    }
}

#[test]
fn no_region() {
    let folder = folder();
    for (metadata, _listener) in metadata_services() {
        let run = with_credentials(deployer(folder.path(), &["plan"]));
        let done = in_time(with_metadata(run, metadata.as_ref())).exits(2);
        insta::assert_snapshot!("no_region", shown(&done));
    }
}

#[test]
fn a_profile_that_is_not_there() {
    let folder = folder();
    let run = deployer(folder.path(), &["plan", "--region", "us-east-1", "--profile", "nobody"]);
    let done = in_time(run).exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn an_endpoint_where_nobody_listens() {
    let folder = folder();
    let url = format!("http://127.0.0.1:{}", free_port());
    let run = deployer(folder.path(), &["plan", "--region", "us-east-1", "--endpoint-url", &url]);
    let done = in_time(with_credentials(run)).exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn an_endpoint_that_says_nothing() {
    let folder = folder();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let args = ["plan", "--region", "us-east-1", "--endpoint-url", &url, "--timeout", "4s"];
    let done = in_time(with_credentials(deployer(folder.path(), &args))).exits(1);
    insta::assert_snapshot!(shown(&done));
}

#[test]
fn a_region_that_does_not_exist() {
    let folder = folder();
    let run = deployer(folder.path(), &["plan", "--region", "us-east-9"]);
    let done = in_time(with_credentials(run)).exits(1);
    assert!(done.stderr.contains("us-east-9"), "{done}");
    assert!(done.stderr.contains("hint: Check the network"), "{done}");
}

#[test]
fn expired_credentials() {
    let folder = folder();
    // Nothing behind it is ever asked.
    let aws = Proxy::before("http://127.0.0.1:9");
    aws.inject(At::operation("GetCallerIdentity", 1), Fault::Expired);
    let url = aws.url();
    let args = ["up", "--region", "us-east-1", "--endpoint-url", &url, "--output", "json"];
    let done = in_time(with_credentials(deployer(folder.path(), &args))).exits(1);
    insta::assert_snapshot!(shown(&done));
    assert!(aws.calls().iter().all(|call| call.operation == "GetCallerIdentity"), "{:?}", aws.calls());
}
