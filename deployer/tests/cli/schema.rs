//! `schema`: it works where nothing else does.

use crate::{deployer, folder};

#[test]
fn the_schema_needs_neither_a_manifest_nor_credentials() {
    let folder = folder();
    let done = deployer(folder.path(), &["schema"]).run().succeeds();
    assert_eq!(done.stderr, "");
    let schema = done.json();
    assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    assert_eq!(schema["properties"]["api"]["properties"]["stage"]["default"], "Prod");

    // Whoever needs it may have a manifest that is wrong, or wants JSON of every command.
    std::fs::write(folder.path().join("stack.toml"), "name = ").unwrap();
    for args in [&["schema"][..], &["schema", "--output", "json"], &["schema", "--manifest", "none.toml"]] {
        assert_eq!(deployer(folder.path(), args).run().succeeds().json(), schema, "{args:?}");
    }
}
