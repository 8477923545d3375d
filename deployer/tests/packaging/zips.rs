//! A zip that Lambda could not start is refused before anything is changed.

use std::io::Write as _;
use support::lab::Lab;
use support::proxy::mutating;
use zip::write::SimpleFileOptions;

fn write_zip(lab: &Lab, files: &[(&str, u32, &str)]) {
    let file = std::fs::File::create(lab.project.folder().join("handler.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    for (name, mode, text) in files {
        zip.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn code_that_cannot_start_never_takes_the_place_of_code_that_runs() {
    let lab = Lab::new();
    let _ = lab.deployer(&["up"]).run().succeeds();
    let _ = lab.proxy.take_calls();
    let script = "#!/bin/sh\n";
    let bad: [(&[(&str, u32, &str)], &str); 4] = [
        (&[("bootstrap", 0o644, script)], "has a bootstrap that is not executable for everybody"),
        (&[("code/bootstrap", 0o755, script)], "has no file bootstrap"),
        (&[("bootstrap", 0o755, "")], "has an empty bootstrap"),
        (&[], "holds no files"),
    ];
    for (files, why) in bad {
        write_zip(&lab, files);
        let up = lab.deployer(&["up"]).run().exits(2);
        assert!(up.stderr.contains(why), "{up}");
        assert!(mutating(lab.proxy.take_calls()).is_empty(), "{up}");
    }
    lab.project.set_version("1");
    assert!(lab.deployer(&["up"]).run().succeeds().stderr.contains("Everything is as declared."));
}
