//! What is no longer declared goes: shown first, asked about, found by its tags, and never a table by the way.

mod dropped;
mod meanwhile;
mod renamed;

use support::lab::Lab;
use support::proxy::mutating;

/// A stack with more of everything than the lab has.
const MORE: &str = r#"
tables = ["lambda-apigateway"]

[functions.Extra]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
role = "extra-role"
tables = ["extra"]

[tables.lambda-apigateway]

[tables.extra]

[[api.routes]]
method = "POST"
path = "/DynamoDBManager"
function = "LambdaFunctionOverHttps"

[[api.routes]]
method = "GET"
path = "/extra"
function = "Extra"
"#;

/// Makes the larger stack, and declares the lab again; the URL.
fn shrunk(lab: &Lab) -> String {
    lab.project.declare(MORE);
    let url = lab.deployer(&["up"]).run().succeeds().last_line().to_owned();
    lab.project.declare("");
    lab.proxy.take_calls();
    url
}

/// Runs `up` where nobody is there to ask, which has to change nothing and name what would go.
fn refused_unasked(lab: &Lab, going: &[&str]) {
    let before = lab.lookup().tags();
    lab.proxy.take_calls();
    let up = lab.deployer(&["up"]).run().exits(1);
    assert!(up.stderr.contains("--yes"), "{up}");
    let question = up.stderr.lines().find(|line| line.starts_with("error:")).unwrap_or_default();
    for thing in going {
        assert!(question.contains(thing), "{thing}: {up}");
    }
    assert!(mutating(lab.proxy.take_calls()).is_empty(), "{up}");
    assert_eq!(lab.lookup().tags(), before);
}
