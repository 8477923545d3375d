//! A page in one file: it needs no network and no program, is light or dark as its reader likes, and can be printed.

use maud::{DOCTYPE, Markup, PreEscaped, html};

/// What goes into a page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    body: Vec<Markup>,
}

impl Page {
    /// Begins with a heading, and what stands below it.
    pub(crate) fn new(heading: &str, below: &[String]) -> Self {
        let beginning = html! {
            h1 { (heading) }
            @for line in below {
                p.below { (line) }
            }
        };
        Self { body: vec![beginning] }
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.body.push(html! { h2 { (text) } });
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.body.push(html! { p { (text) } });
    }

    /// Figures to see first: a name, the figure, and a class for what it means (`good`, `bad` or none).
    pub(crate) fn tiles(&mut self, tiles: &[(&str, String, &str)]) {
        self.body.push(html! {
            .tiles {
                @for (name, figure, class) in tiles {
                    .tile.(class) {
                        span { (name) }
                        strong { (figure) }
                    }
                }
            }
        });
    }

    /// A chart with its heading and what its colours mean, as classes with names.
    pub(crate) fn chart(&mut self, heading: &str, legend: &[(&str, &str)], chart: &Markup) {
        self.body.push(html! {
            figure {
                figcaption {
                    h2 { (heading) }
                    @for (class, name) in legend {
                        span.key { i.(class) {} (name) }
                    }
                }
                (chart)
            }
        });
    }

    /// A table whose first row is its head. The first column is text, the others are figures.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let Some((head, rows)) = rows.split_first() else { return };
        self.body.push(html! {
            .wide {
                table {
                    thead { tr { @for cell in head { th { (cell) } } } }
                    tbody {
                        @for row in rows {
                            tr { @for cell in row { td { (cell) } } }
                        }
                    }
                }
            }
        });
    }

    /// The whole document.
    pub(crate) fn finish(self, title: &str) -> String {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    main { @for part in &self.body { (part) } }
                }
            }
        };
        without_controls(&document.into_string())
    }
}

/// HTML has no way to write control characters, not even as references.
fn without_controls(document: &str) -> String {
    document.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}

const STYLE: &str = include_str!("style.css");

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Whether every element is closed where it should be; what it was that is not.
    pub(crate) fn is_well_formed(page: &str) -> Result<(), String> {
        let mut open: Vec<&str> = Vec::new();
        let rest = page.strip_prefix("<!DOCTYPE html>").ok_or("no doctype")?;
        let mut rest = rest;
        while let Some((text, after)) = rest.split_once('<') {
            if text.contains('>') {
                return Err(format!("a loose > in {text}"));
            }
            let (tag, after) = after.split_once('>').ok_or("a tag without an end")?;
            let name = tag.split_whitespace().next().unwrap_or_default();
            if tag.matches('"').count() % 2 == 1 {
                return Err(format!("quotes of {tag}"));
            }
            if let Some(name) = tag.strip_prefix('/') {
                if open.pop() != Some(name) {
                    return Err(format!("</{name}> closes something else"));
                }
            } else if !tag.ends_with('/') && name != "meta" {
                open.push(name);
            }
            rest = if name == "style" { after.split_once("</style>").ok_or("style")?.1 } else { after };
            if name == "style" {
                open.pop();
            }
        }
        if open.is_empty() { Ok(()) } else { Err(format!("{open:?} are open at the end")) }
    }

    #[test]
    fn a_page_is_whole_and_asks_nobody_for_anything() {
        let mut page = Page::new("a <b> & \"c\"", &["</p><script>".to_owned()]);
        page.tiles(&[("p50", "4 ms".to_owned(), "good")]);
        page.chart("over time", &[("p50", "p50")], &html! { svg {} });
        page.table(&[vec!["a".to_owned(), "b".to_owned()], vec!["<".to_owned(), "1\u{7}".to_owned()]]);
        let page = page.finish("t");
        assert_eq!(is_well_formed(&page), Ok(()), "{page}");
        for forbidden in ["<script", "http", "url(", "@import", "\u{7}"] {
            assert!(!page.contains(forbidden), "{forbidden} in {page}");
        }
    }

    #[test]
    fn the_check_of_pages_sees_what_is_wrong() {
        for wrong in [
            "<p>",
            "<!DOCTYPE html><p>",
            "<!DOCTYPE html><p></b>",
            "<!DOCTYPE html><p a=\"></p>",
            "<!DOCTYPE html>a > b<p></p>",
        ] {
            assert!(is_well_formed(wrong).is_err(), "{wrong}");
        }
        assert_eq!(is_well_formed("<!DOCTYPE html><p a=\"b\">c<br/></p>"), Ok(()));
    }
}
