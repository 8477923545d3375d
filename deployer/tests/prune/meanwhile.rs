//! Who uses the URL notices nothing while things behind it change their names.

use std::time::Duration;
use support::lab::Lab;
use support::proxy::Behaviour;
use support::requests::Requests;

/// Two functions, and which of them the route leads to.
fn two(function: &str) -> String {
    format!(
        r#"
[functions.Second]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
role = "second-role"

[[api.routes]]
method = "POST"
path = "/DynamoDBManager"
function = "{function}"
"#
    )
}

/// The lab with its function under another name.
const RENAMED: &str = r#"
[functions.Renamed]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
"#;

/// Makes the second manifest of a stack that was made by the first one, at an AWS that takes its time.
fn changes_unnoticed(before: &str, after: &str) {
    let lab = Lab::new();
    lab.project.write("stack.toml", before);
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    lab.proxy.behave(Behaviour {
        latency: Duration::from_millis(40),
        function: Duration::from_secs(1),
        ..Behaviour::default()
    });
    lab.project.write("stack.toml", after);
    let requests = Requests::to(lab.lookup(), url.replace(&lab.proxy.url(), &lab.aws.url()));
    let up = lab.deployer(&["up", "--yes"]).run().succeeds();
    let asked = requests.all_good();
    assert!(asked >= 5, "it was asked meanwhile: {asked} times in {:?}", up.took);
    assert_eq!(up.last_line(), url);
    let _ = lab.deployer(&["plan", "--exit-code"]).run().succeeds();
}

#[test]
fn a_function_is_renamed() {
    let lab = "[functions.LambdaFunctionOverHttps]\nzip = \"handler.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\n";
    changes_unnoticed(lab, RENAMED);
}

#[test]
fn a_route_moves_to_another_function() {
    let lab = "[functions.LambdaFunctionOverHttps]\nzip = \"handler.zip\"\nruntime = \"provided.al2023\"\nhandler = \"bootstrap\"\n";
    changes_unnoticed(
        &format!("{lab}{}", two("LambdaFunctionOverHttps")),
        &format!("{lab}{}", two("Second")),
    );
}
