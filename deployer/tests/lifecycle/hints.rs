//! Commands that hints name, copied into a shell.

use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use support::deployer::{Deployer, Done};
use support::lab::Lab;

/// The command with this flag at its end that the hints of this run name.
fn named<'a>(done: &'a Done, flag: &str) -> &'a str {
    let hints = done.stderr.lines().filter(|line| line.starts_with("hint: "));
    let mut commands = hints.flat_map(|hint| hint.split('`').skip(1).step_by(2));
    commands.find(|command| command.ends_with(flag)).unwrap()
}

#[test]
fn a_command_in_a_hint_runs_as_it_is() {
    let lab = Lab::new();
    let folder = lab.project.folder().join("it's a shop");
    fs::create_dir(&folder).unwrap();
    for file in ["stack.toml", "handler.zip"] {
        fs::copy(lab.project.folder().join(file), folder.join(file)).unwrap();
    }
    let manifest = folder.join("stack.toml");
    let deployer = |args: &[&str]| {
        let place = ["--env", "x", "--region", "us-east-1", "--quiet", "--timeout", "5m"];
        lab.deployer_of(&manifest, &place).args(args)
    };

    let absent = deployer(&["status", "--url"]).run().exits(1);
    let quoted = manifest.display().to_string().replace('\'', r"'\''");
    let (url, state) = (lab.proxy.url(), lab.aws.state());
    let up = format!(
        "deployer up --local --manifest '{quoted}' --env x --region us-east-1 --endpoint-url {url} --local-state {}",
        state.display()
    );
    assert!(absent.stderr.ends_with(&format!("is not up\n\nhint: Run `{up}`.\n")), "{absent}");
    let done = Deployer::copied(lab.aws.folder(), &up).run().succeeds();
    assert_eq!(deployer(&["status", "--url"]).run().succeeds().last_line(), done.last_line());
    let tags = lab.lookup().tags();
    assert!(tags.values().all(|tags| tags["deployer:stack"] == "lambda-apigateway-x"), "{tags:?}");

    let item = json!({ "TableName": "lambda-apigateway-x", "Item": { "id": { "S": "1" } } });
    lab.lookup().dynamodb("PutItem", &item);
    let refused = deployer(&["down", "--yes", "--output", "json"]).run().exits(1);
    let down = named(&refused, "--delete-data");
    assert_eq!(refused.json()["error"]["hints"][1], format!("`{down}` deletes the items too."));
    let _ = Deployer::copied(lab.aws.folder(), down).run().succeeds();
    assert_eq!(lab.lookup().everything(), BTreeSet::new());
}
