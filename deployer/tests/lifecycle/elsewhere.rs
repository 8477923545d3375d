//! Where the stack is not: there, everything would look as if it had never been.

use std::fs;
use support::access::Access;
use support::deployer::Deployer;
use support::lab::Lab;
use support::proxy::operations;

const VERBS: [&[&str]; 4] = [&["plan"], &["status"], &["up", "--yes"], &["down", "--yes"]];

#[test]
fn another_account_than_allowed_is_refused_before_anything_is_read() {
    let lab = Lab::new();
    lab.project.write("stack.toml", "allowed-accounts = [\"123456789012\"]");
    for verb in VERBS {
        let refused = lab.deployer(verb).run().exits(1);
        let why =
            "these credentials belong to account 000000000000, and the manifest allows only 123456789012";
        assert!(refused.stderr.contains(why), "{refused}");
        assert!(refused.stderr.contains("--profile"), "{refused}");
        assert_eq!(operations(&lab.proxy.take_calls()), ["GetCallerIdentity"], "{refused}");
    }
}

#[test]
fn another_region_than_the_manifests_is_refused_before_anything_is_asked() {
    let lab = Lab::new();
    lab.project.write("stack.toml", "region = \"us-east-1\"");
    for verb in VERBS {
        let refused = lab.deployer(&[&["--region", "eu-west-1"], verb].concat()).run().exits(2);
        assert!(refused.stderr.contains("us-east-1") && refused.stderr.contains("eu-west-1"), "{refused}");
        assert!(lab.proxy.take_calls().is_empty(), "{refused}");
    }
}

/// A process that asks somebody for a code, or opens a browser, takes its time, and must not ask twice.
#[test]
fn credentials_that_take_long_are_waited_for_and_asked_for_once() {
    let lab = Lab::new();
    let home = lab.aws.folder();
    let asked = home.join("asked");
    let access = lab.aws.access();
    let (key, secret) = (access.key(), access.secret());
    let keys = format!(r#"{{"Version":1,"AccessKeyId":"{key}","SecretAccessKey":"{secret}"}}"#);
    let process = home.join("credentials.sh");
    let script = format!("echo asked >> '{}'\nsleep 6\necho '{keys}'\n", asked.display());
    fs::write(&process, script).unwrap();
    fs::create_dir_all(home.join(".aws")).unwrap();
    let profile = format!("[profile slow]\ncredential_process = sh {}\n", process.display());
    fs::write(home.join(".aws/config"), profile).unwrap();
    let manifest = lab.project.manifest();
    let at = ["--profile", "slow", "--region", "us-east-1", "--endpoint-url", &lab.proxy.url()];
    let plan = Deployer::new(home).args(at).arg("--manifest").arg(manifest).arg("plan").run().succeeds();
    assert!(plan.stderr.contains("waiting for the credentials of the profile slow"), "{plan}");
    assert!(plan.stdout.contains("Plan: 7 to create."), "{plan}");
    assert_eq!(fs::read_to_string(asked).unwrap(), "asked\n");
}

/// A stack that is made at an endpoint of the profile's is proven, asked and invoked there too.
#[test]
fn an_endpoint_of_the_profile_is_where_everything_goes() {
    let lab = Lab::new();
    let home = lab.aws.folder();
    fs::create_dir_all(home.join(".aws")).unwrap();
    let profile = format!("[profile elsewhere]\nendpoint_url = {}\nregion = us-east-1\n", lab.proxy.url());
    fs::write(home.join(".aws/config"), profile).unwrap();
    let run = |args: &[&str]| {
        let access = Access::of(&lab.aws.state());
        let deployer = Deployer::new(home)
            .env("AWS_ACCESS_KEY_ID", access.key())
            .env("AWS_SECRET_ACCESS_KEY", access.secret());
        // A proxy is not the way to this machine.
        let deployer =
            deployer.env("HTTPS_PROXY", "http://127.0.0.1:9").env("HTTP_PROXY", "http://127.0.0.1:9");
        deployer
            .env("AWS_PROFILE", "elsewhere")
            .arg("--manifest")
            .arg(lab.project.manifest())
            .args(args)
            .run()
    };
    let up = run(&["up"]).succeeds();
    assert!(up.stdout.starts_with(&format!("{}/restapis/", lab.proxy.url())), "{up}");
    assert_eq!(run(&["invoke", "ping", "--via", "api"]).succeeds().stdout.trim(), "\"pong\"");
    let local = lab.deployer(&["plan", "--exit-code"]).env("AWS_USE_FIPS_ENDPOINT", "true");
    let _ = local.env("AWS_USE_DUALSTACK_ENDPOINT", "true").run().succeeds();
}
