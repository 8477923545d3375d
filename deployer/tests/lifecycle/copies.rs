//! Two copies of one stack, side by side.

use std::collections::BTreeSet;
use support::lab::Lab;
use support::proxy::mutating;

#[test]
fn copies_with_an_env_of_their_own_are_independent() {
    let lab = Lab::new();
    let plain = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    let one = lab.lookup().everything();
    let dev = lab.deployer(&["--env", "dev", "up"]).run().succeeds().last_line().to_owned();
    assert_ne!(plain, dev);
    let both = lab.lookup().tags();
    let added: BTreeSet<String> = both.keys().filter(|thing| !one.contains(*thing)).cloned().collect();
    assert_eq!(added, one.iter().map(|thing| format!("{thing}-dev")).collect());
    for thing in &added {
        assert_eq!(both[thing]["deployer:stack"], "lambda-apigateway-dev", "{thing}");
    }

    lab.proxy.take_calls();
    for args in [["--env", "dev", "up"].as_slice(), &["up"]] {
        let _ = lab.deployer(args).run().succeeds();
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty());

    let _ = lab.deployer(&["--env", "dev", "down", "--yes"]).run().succeeds();
    assert_eq!(lab.lookup().everything(), one);
    assert_eq!(lab.lookup().post(&plain, r#"{"operation":"ping"}"#), (200, r#""pong""#.to_owned()));
}
