//! Where the stack is not: there, everything would look as if it had never been.

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
