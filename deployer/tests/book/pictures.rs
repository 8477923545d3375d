//! Holds the pictures to the documents that show them: `make pictures` draws them.

use super::{file, manual};
use std::collections::BTreeMap;

/// The pictures of the README and the book, by their paths in `docs/src`.
fn pictures() -> BTreeMap<&'static str, String> {
    ["pictures/up.svg", "pictures/load.svg"].map(|name| (name, file(&format!("docs/src/{name}")))).into()
}

/// The names of all elements that are not closed in order, and the text between the elements.
fn elements_and_text(svg: &str) -> (Vec<&str>, String) {
    let (mut open, mut text) = (Vec::new(), String::new());
    for piece in svg.split('<').skip(1) {
        let (tag, after) = piece.split_once('>').unwrap();
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}> closes another element");
        } else if !tag.ends_with('/') {
            open.push(name);
        }
        text.push_str(after);
    }
    (open, text)
}

#[test]
fn pictures_are_well_formed_and_show_nothing_of_the_machine_that_drew_them() {
    for (name, svg) in pictures() {
        assert!(svg.starts_with("<svg xmlns="), "{name}");
        assert!(svg.contains("<title>"), "{name} has no title");
        let (open, text) = elements_and_text(&svg);
        assert_eq!(open, Vec::<&str>::new(), "{name}");
        for machine in ["/tmp", "/home", "/root", "/Users", "/work"] {
            assert!(!text.contains(machine), "{name} shows a path of a machine: {machine}");
        }
    }
}

#[test]
fn the_picture_of_up_shows_each_kind_of_resource_the_proof_and_the_url() {
    let (_, text) = elements_and_text(&pictures()["pictures/up.svg"]);
    let kinds = ["role", "policy", "log group", "table", "function", "REST API", "permission"];
    for kind in kinds {
        assert!(text.contains(&format!("{kind} ")), "{kind}");
    }
    assert!(text.contains("Plan: 7 to create."));
    assert!(text.contains("smoke test ping") && text.contains("passed"));
    assert!(text.contains("http://127.0.0.1:4566/restapis/a1b2c3d4/Prod/_user_request_/DynamoDBManager"));
}

#[test]
fn each_picture_is_in_the_readme_and_in_the_book_with_a_text_for_who_cannot_see_it() {
    for name in pictures().keys() {
        let shows = |text: &str| {
            let images = text.split("![").skip(1).filter_map(|image| image.split_once("]("));
            images
                .filter(|(alt, _)| alt.len() > 40)
                .any(|(_, rest)| rest.split_once(')').is_some_and(|(target, _)| target.ends_with(name)))
        };
        let documents: Vec<String> =
            manual().into_iter().filter(|(_, text)| shows(text)).map(|(document, _)| document).collect();
        assert!(documents.iter().any(|document| document == "README.md"), "{name}: {documents:?}");
        assert!(documents.iter().any(|document| document.starts_with("docs/")), "{name}: {documents:?}");
    }
}
