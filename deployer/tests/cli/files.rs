//! Files that are none, or have no end: refused at once, whatever they are read for.

use crate::{deployer, folder};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

fn refusal(folder: &Path, args: &[&str]) -> String {
    let done = deployer(folder, args).run();
    assert!(done.took < Duration::from_secs(5), "{done}");
    assert_eq!(done.code, Some(2), "{done}");
    done.stderr
}

#[test]
fn a_named_pipe_a_device_and_a_folder_are_refused_at_once() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    assert!(Command::new("mkfifo").arg(path("pipe")).status().unwrap().success());
    for (file, what) in
        [(path("pipe"), "a named pipe"), ("/dev/zero".to_owned(), "a device"), (path(""), "a folder")]
    {
        for args in [
            &["plan", "--manifest", &file][..],
            &["load", "--compare", &file],
            &["load", "--compare", &file, "--with", &file],
        ] {
            let said = refusal(folder.path(), args);
            assert!(
                said.contains(&format!("it is {what}, and only regular files are read")),
                "{args:?}: {said}"
            );
        }
    }
}

#[test]
fn a_manifest_of_another_encoding_is_named_and_a_byte_order_mark_is_no_column() {
    let folder = folder();
    let write = |bytes: &[u8]| std::fs::write(folder.path().join("stack.toml"), bytes).unwrap();
    let utf16: Vec<u8> = "\u{feff}name = \"shop\"\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    write(&utf16);
    let said = refusal(folder.path(), &["plan"]);
    assert!(
        said.contains("cannot read the manifest stack.toml: it is in UTF-16; save it as UTF-8"),
        "{said}"
    );
    write("\u{feff}name = 1\n".as_bytes());
    let said = refusal(folder.path(), &["plan"]);
    assert!(said.contains("--> stack.toml:1:8\n") && said.contains("1 | name = 1\n"), "{said}");
    write(" ".repeat(600 * 1024).as_bytes());
    let said = refusal(folder.path(), &["plan"]);
    assert!(said.contains("it is larger than 512 KiB"), "{said}");
}

#[test]
fn too_few_file_descriptors_are_no_fault_of_the_target() {
    let folder = folder();
    let done = deployer(folder.path(), &["load", "--concurrency", "2000", "--region", "us-east-1"])
        .limited("ulimit -n 512")
        .run()
        .exits(2);
    assert!(done.stderr.starts_with("error: 2000 requests at once need "), "{done}");
    assert!(
        done.stderr.contains("but this process may open 512\n\nhint: Raise the limit with `ulimit -n "),
        "{done}"
    );
}

#[test]
fn no_result_takes_the_place_of_an_input() {
    let folder = folder();
    let write = |name: &str| std::fs::write(folder.path().join(name), "").unwrap();
    for name in ["stack.toml", "mix.toml", "before.json"] {
        write(name);
        let args = ["load", "--mix", "mix.toml", "--compare", "before.json", "--json", name];
        let said = refusal(folder.path(), &args);
        assert!(said.contains(&format!("{name} is read by this command")), "{said}");
        let said = refusal(folder.path(), &["tune", "--mix", "mix.toml", "--html", "mix.toml"]);
        assert!(said.contains("mix.toml is read by this command"), "{said}");
    }
}
