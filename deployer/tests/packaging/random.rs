//! Random edits of everything that goes into a binary, each followed by a deployment: what runs is never stale.

use crate::Place;
use std::collections::BTreeMap;
use support::cargo_project::{CargoProject, answering, package, write};

/// What goes into the binary, each with the number of its last change.
#[derive(Debug, Default)]
struct Inputs {
    source: u32,
    member: u32,
    data: u32,
    variable: Option<u32>,
    assertions: bool,
    feature: bool,
}

impl Inputs {
    fn expected(&self) -> String {
        let variable = self.variable.map(|number| number.to_string());
        format!(
            "{} {} {} {variable:?} {} {}",
            self.source, self.member, self.data, self.assertions, self.feature
        )
    }

    fn environment(&self) -> BTreeMap<&str, String> {
        let mut variables =
            BTreeMap::from([("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", self.assertions.to_string())]);
        if let Some(number) = self.variable {
            variables.insert("SHOP_VARIABLE", number.to_string());
        }
        variables
    }

    fn write(&self, project: &CargoProject) {
        let answer = format!(
            "format!(\"{} {{}} {{}} {{:?}} {{}} {{}}\", member::NUMBER, env!(\"DATA\"), option_env!(\"SHOP_VARIABLE\"), cfg!(debug_assertions), cfg!(feature = \"extra\"))",
            self.source
        );
        let default = if self.feature { "\"extra\"" } else { "" };
        let manifest = format!(
            "{}member = {{ path = \"member\" }}\n\n[features]\ndefault = [{default}]\nextra = []\n\n[workspace]\n",
            package("shop")
        );
        let files = [
            ("src/main.rs", answering(&answer)),
            ("Cargo.toml", manifest),
            ("member/src/lib.rs", format!("pub const NUMBER: u32 = {};", self.member)),
            ("data", self.data.to_string()),
        ];
        for (name, text) in files {
            // Only what has changed is written, as an editor does.
            if std::fs::read_to_string(project.path(name)).ok().as_ref() != Some(&text) {
                project.write(name, &text);
            }
        }
    }
}

fn never_stale(edits: u32) {
    let place = Place::new();
    let project = CargoProject::empty("shop");
    write(&project.path("member/Cargo.toml"), &package("member"));
    project.write(
        "build.rs",
        r#"fn main() { println!("cargo::rerun-if-changed=data"); println!("cargo::rustc-env=DATA={}", std::fs::read_to_string("data").unwrap()); }"#,
    );
    let manifest = project.manifest();
    let mut inputs = Inputs::default();
    // A fixed sequence (a linear congruential generator), so that a failure can be seen again.
    let mut random = 1_u32;
    for edit in 1..=edits {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match (random >> 16) % 6 {
            0 => inputs.source = edit,
            1 => inputs.member = edit,
            2 => inputs.data = edit,
            3 => inputs.variable = if inputs.variable.is_some() { None } else { Some(edit) },
            4 => inputs.assertions = !inputs.assertions,
            _ => inputs.feature = !inputs.feature,
        }
        inputs.write(&project);
        let mut up = place.deployer(&manifest, &["up"]);
        for (name, value) in inputs.environment() {
            up = up.env(name, value);
        }
        let _ = up.run().succeeds();
        assert_eq!(place.answer(&manifest), inputs.expected(), "edit {edit}: {inputs:?}");
    }
}

#[test]
fn ten_random_edits_are_deployed() {
    never_stale(10);
}

#[test]
#[ignore = "takes minutes: make random-edits"]
fn two_hundred_random_edits_are_deployed() {
    never_stale(200);
}
