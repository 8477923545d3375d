//! A page in one file: it needs no network and no program, is light or dark as its reader likes, and can be printed.

/// What goes into a page.
#[derive(Debug, Default)]
pub(crate) struct Page {
    body: String,
}

impl Page {
    /// Begins with a heading, and what stands below it.
    pub(crate) fn new(heading: &str, below: &[String]) -> Self {
        let mut page = Self::default();
        page.body.push_str(&format!("<h1>{}</h1>\n", escaped(heading)));
        for line in below {
            page.body.push_str(&format!("<p class=\"below\">{}</p>\n", escaped(line)));
        }
        page
    }

    pub(crate) fn heading(&mut self, text: &str) {
        self.body.push_str(&format!("<h2>{}</h2>\n", escaped(text)));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.body.push_str(&format!("<p>{}</p>\n", escaped(text)));
    }

    /// Figures to see first: a name, the figure, and a class for what it means (`good`, `bad` or none).
    pub(crate) fn tiles(&mut self, tiles: &[(&str, String, &str)]) {
        self.body.push_str("<div class=\"tiles\">\n");
        for (name, figure, class) in tiles {
            self.body.push_str(&format!(
                "<div class=\"tile {class}\"><span>{}</span><strong>{}</strong></div>\n",
                escaped(name),
                escaped(figure)
            ));
        }
        self.body.push_str("</div>\n");
    }

    /// A chart with its heading and what its colours mean, as classes with names.
    pub(crate) fn chart(&mut self, heading: &str, legend: &[(&str, &str)], svg: &str) {
        self.body.push_str(&format!("<figure>\n<figcaption><h2>{}</h2>", escaped(heading)));
        for (class, name) in legend {
            self.body
                .push_str(&format!("<span class=\"key\"><i class=\"{class}\"></i>{}</span>", escaped(name)));
        }
        self.body.push_str(&format!("</figcaption>\n{svg}</figure>\n"));
    }

    /// A table whose first row is its head. The first column is text, the others are figures.
    pub(crate) fn table(&mut self, rows: &[Vec<String>]) {
        let Some((head, rows)) = rows.split_first() else { return };
        let cells = |row: &[String], tag: &str| -> String {
            row.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect()
        };
        self.body.push_str(&format!(
            "<div class=\"wide\"><table>\n<thead><tr>{}</tr></thead>\n<tbody>\n",
            cells(head, "th")
        ));
        for row in rows {
            self.body.push_str(&format!("<tr>{}</tr>\n", cells(row, "td")));
        }
        self.body.push_str("</tbody>\n</table></div>\n");
    }

    /// The whole document.
    pub(crate) fn finish(self, title: &str) -> String {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
            escaped(title),
            self.body
        )
    }
}

/// Text as HTML and XML take it, also between quotes.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // Neither language has a way to write these.
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
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
            } else if !tag.ends_with('/') {
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
        page.chart("over time", &[("p50", "p50")], "<svg></svg>");
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
