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

/// The lab's function.
const LAB: &str = r#"
[functions.LambdaFunctionOverHttps]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
lab = true
"#;

/// The lab with its function under another name.
const RENAMED: &str = r#"
[functions.Renamed]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
lab = true
"#;

/// Makes the second manifest of a stack that was made by the first one, at an AWS that takes its time.
fn changes_unnoticed(before: &str, after: &str) -> Lab {
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
    lab
}

#[test]
fn a_function_is_renamed() {
    changes_unnoticed(LAB, RENAMED);
}

#[test]
fn a_route_moves_to_another_function() {
    let before = format!("{LAB}{}", two("LambdaFunctionOverHttps"));
    let lab = changes_unnoticed(&before, &format!("{LAB}{}", two("Second")));
    let policy = "/2015-03-31/functions/LambdaFunctionOverHttps/policy";
    let first = lab.lookup().try_rest("lambda", "GET", policy, &serde_json::Value::Null);
    assert!(first.is_err_and(|(status, _)| status == 404), "what leads nowhere is allowed no more");
}
