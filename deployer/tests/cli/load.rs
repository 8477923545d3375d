//! `load` with values that make no sense: refused with the range, before anybody is asked.

use crate::{deployer, folder, shown};
use std::fmt::Write as _;
use std::time::Duration;

#[test]
fn what_makes_no_load() {
    let folder = folder();
    let lines: [&[&str]; 7] = [
        &["--rate", "0"],
        &["--rate", "100001"],
        &["--duration", "0s"],
        &["--duration", "25h"],
        &["--warmup", "2h"],
        &["--concurrency", "0"],
        &["--concurrency", "10001"],
    ];
    let mut all = String::new();
    for line in lines {
        let done = deployer(folder.path(), &["load"]).args(line).run().exits(2);
        assert!(done.took < Duration::from_secs(2), "nobody is asked: {done}");
        writeln!(all, "$ deployer load {}\n{}", line.join(" "), shown(&done)).unwrap();
    }
    insta::assert_snapshot!(all);
}
