//! How much is said, and in which colours: `--quiet`, `--verbose`, `--color`.

use crate::{deployer, folder};
use support::lab::Lab;

const MANIFEST: &str = r#"
name = "volume"
[tables.volume-items]
[functions.volume]
zip = "handler.zip"
runtime = "provided.al2023"
handler = "bootstrap"
lab = true
role = "volume-role"
environment = { TOKEN = "hush-hush" }
[api]
name = "volume"
[[api.routes]]
method = "GET"
path = "/items"
function = "volume"
"#;

fn lab() -> Lab {
    let lab = Lab::new();
    lab.project.write("stack.toml", MANIFEST);
    lab
}

/// The secret key that signs the calls, as `local status` tells other programs to use it.
fn secret_key(lab: &Lab) -> String {
    let file = lab.aws.state().join("credentials");
    let text = std::fs::read_to_string(file).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("aws_secret_access_key")).unwrap();
    line.trim_start_matches([' ', '=']).to_owned()
}

#[test]
fn verbose_shows_each_call_and_no_secret() {
    let lab = lab();
    let up = lab.deployer(&["up", "-vv"]).run().succeeds();
    let calls: Vec<&str> = up.stderr.lines().filter(|line| line.contains("request id")).collect();
    for operation in ["IAM CreateRole", "Lambda CreateFunction", "API Gateway CreateDeployment"] {
        let call = calls.iter().find(|line| line.contains(operation)).unwrap_or(&"none");
        assert!(call.contains("attempt 1, request id ") && !call.ends_with("none"), "{operation}: {call}");
    }
    assert!(up.stderr.contains("DEBUG aws_"), "{up}");
    for secret in ["hush-hush", &secret_key(&lab)] {
        assert!(!up.stderr.contains(secret), "{up}");
    }
    let plan = lab.deployer(&["plan", "--verbose"]).run().succeeds();
    assert!(plan.stderr.contains("Lambda GetFunction: 200 in ") && !plan.stderr.contains("DEBUG"), "{plan}");
    assert_eq!(plan.stdout, "Nothing to change.\n");
}

#[test]
fn quiet_shows_plan_and_errors_but_no_progress() {
    let lab = lab();
    let up = lab.deployer(&["up", "--quiet"]).run().succeeds();
    assert!(up.stderr.contains("+ function volume") && up.stderr.contains("Plan: "), "{up}");
    assert!(!up.stderr.contains("creating") && !up.stderr.contains("waiting for"), "{up}");
    assert!(up.last_line().starts_with("http://"), "{up}");
    let folder = folder();
    let failed = deployer(folder.path(), &["cost", "--quiet"]).run().exits(2);
    assert!(failed.stderr.starts_with("error: "), "{failed}");
    let both = deployer(folder.path(), &["plan", "-q", "-v"]).run().exits(2);
    assert!(both.stderr.contains("cannot be used with"), "{both}");
}

#[test]
fn colours_are_for_terminals_unless_asked_for() {
    let lab = lab();
    let plan = |color: &[&str]| lab.deployer(&[&["plan"], color].concat()).run().succeeds().stdout;
    let always = plan(&["--color", "always"]);
    assert!(always.contains("\u{1b}[32m+\u{1b}[0m function volume"), "{always}");
    for color in [&[][..], &["--color", "auto"], &["--color", "never"]] {
        assert!(!plan(color).contains('\u{1b}'));
    }
}

/// What an error looks like with colours.
const RED_ERROR: &str = "\u{1b}[31merror:\u{1b}[0m ";

#[test]
fn an_error_before_the_configuration_is_read_follows_the_same_rules() {
    let folder = folder();
    let plan =
        |args: &[&str]| deployer(folder.path(), &[&["plan", "--manifest", "none.toml"], args].concat());
    assert!(plan(&["--color", "always"]).run().exits(2).stderr.starts_with(RED_ERROR));
    assert!(plan(&[]).run().exits(2).stderr.starts_with("error: "));
    for (args, variable, has_colours) in [
        (&[][..], "TERM", true),
        (&[], "NO_COLOR", false),
        (&["--color", "never"], "TERM", false),
        (&["--color", "always"], "NO_COLOR", true),
    ] {
        let ended = plan(args).env(variable, "xterm").in_terminal().wait().exits(2);
        assert_eq!(ended.written.contains(RED_ERROR), has_colours, "{args:?} {variable}: {}", ended.written);
    }
}
