use super::*;
use crate::packaging::archive::{ZipFile, zip_of};
use std::io::Write as _;
use zip::write::SimpleFileOptions;

fn needs(runtime: &str, handler: &str) -> Needs {
    Needs { runtime: runtime.to_owned(), handler: handler.to_owned(), architecture: Architecture::X86_64 }
}

fn zip_with(files: &[(&str, u32, &[u8])]) -> Vec<u8> {
    let files: Vec<ZipFile> = files
        .iter()
        .map(|(name, mode, contents)| ZipFile {
            name: (*name).to_owned(),
            mode: *mode,
            contents: contents.to_vec(),
        })
        .collect();
    zip_of(&files, 1).unwrap()
}

fn provided(files: &[(&str, u32, &[u8])]) -> std::result::Result<(), String> {
    zip(&zip_with(files), "the zip f.zip", &needs("provided.al2023", "bootstrap")).map_err(|e| e.to_string())
}

#[test]
fn a_provided_runtime_needs_an_executable_bootstrap() {
    assert_eq!(provided(&[("bootstrap", 0o755, b"#!/bin/sh")]), Ok(()));
    assert_eq!(
        provided(&[("code/bootstrap", 0o755, b"#!/bin/sh")]),
        Err("the zip f.zip has no file bootstrap, which the runtime provided.al2023 starts".to_owned())
    );
    for mode in [0o644, 0o700, 0o754, 0o711] {
        assert_eq!(
            provided(&[("bootstrap", mode, b"#!/bin/sh")]),
            Err("the zip f.zip has a bootstrap that is not executable for everybody, so Lambda cannot start it".to_owned()),
            "{mode:o}"
        );
    }
    assert_eq!(
        provided(&[("bootstrap", 0o755, b"")]),
        Err("the zip f.zip has an empty bootstrap".to_owned())
    );
}

#[test]
fn a_handler_needs_its_file() {
    let found: [(&str, &str, &str); 12] = [
        ("python3.13", "app.handler", "app.py"),
        ("python3.13", "pkg.app.handler", "pkg/app.py"),
        ("python3.13", "pkg/app.handler", "pkg/app.py"),
        ("python3.13", "pkg.handler", "pkg/__init__.py"),
        ("nodejs24.x", "index.handler", "index.js"),
        ("nodejs24.x", "index.handler", "index.mjs"),
        ("nodejs24.x", "src/app.deep.handler", "src/app.cjs"),
        ("nodejs24.x", "./index.handler", "index.js"),
        ("ruby3.4", "app.Shop.handler", "app.rb"),
        ("dotnet10", "Shop::Shop.Function::Handle", "Shop.dll"),
        ("java21", "shop.Handler::handle", "lib/shop.jar"),
        ("somethingnew1.x", "whatever", "a"),
    ];
    for (runtime, handler, file) in found {
        let code = zip_with(&[(file, 0o644, b"code")]);
        assert!(zip(&code, "", &needs(runtime, handler)).is_ok(), "{runtime} {handler} {file}");
    }
    let missing = [
        (
            "python3.13",
            "app.handler",
            "the zip f.zip has no app.py, where the handler app.handler of the runtime python3.13 would be",
        ),
        (
            "nodejs24.x",
            "app.handler",
            "the zip f.zip has no app.js, where the handler app.handler of the runtime nodejs24.x would be",
        ),
    ];
    for (runtime, handler, message) in missing {
        let code = zip_with(&[("folder/app.py", 0o644, b"code"), ("folder/app.js", 0o644, b"code")]);
        assert_eq!(zip(&code, "the zip f.zip", &needs(runtime, handler)).unwrap_err().to_string(), message);
    }
}

#[test]
fn what_is_no_zip_or_is_damaged_is_refused() {
    let refused =
        |bytes: &[u8]| zip(bytes, "the zip f.zip", &needs("provided.al2023", "")).unwrap_err().to_string();
    assert!(refused(b"").starts_with("the zip f.zip cannot be opened as a zip: "));
    assert!(refused(b"#!/bin/sh").starts_with("the zip f.zip cannot be opened as a zip: "));
    assert_eq!(refused(&zip_with(&[])), "the zip f.zip holds no files");
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .unix_permissions(0o755);
    writer.start_file("bootstrap", stored).unwrap();
    writer.write_all(b"#!/bin/sh the real thing").unwrap();
    let mut damaged = writer.finish().unwrap().into_inner();
    let at = damaged.windows(8).position(|bytes| bytes == b"the real").unwrap();
    damaged[at] = b'T';
    assert!(
        refused(&damaged).starts_with("the zip f.zip is damaged: bootstrap cannot be read: "),
        "{}",
        refused(&damaged)
    );
}

#[test]
fn sizes_are_those_of_the_files_and_not_those_that_the_zip_declares() {
    let refused = |bytes: &[u8]| zip(bytes, "the zip f.zip", &needs("java21", "")).unwrap_err().to_string();
    assert_eq!(refused(&vec![0; (50 << 20) + 1]), "the zip f.zip has 51 MB, and Lambda takes 50");
    let zeros = vec![0; 26 << 20];
    let ten: Vec<(String, u32)> = (0..10).map(|n| (n.to_string(), 0o644)).collect();
    let files: Vec<(&str, u32, &[u8])> =
        ten.iter().map(|(name, mode)| (name.as_str(), *mode, &zeros[..])).collect();
    assert_eq!(
        refused(&zip_with(&files)),
        "the zip f.zip has more than 250 MB when it is unzipped, and Lambda takes no more"
    );
    assert!(zip(&zip_with(&files[..9]), "", &needs("java21", "")).is_ok());
}
