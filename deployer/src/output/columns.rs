//! Lays out text in columns.

use crate::printable::one_line;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Returns the width of a text in terminal columns.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Pads a text with spaces to a width.
pub(crate) fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// Cuts a text to a width.
pub(crate) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut taken = 1;
    let fits = |c: &char| {
        taken += c.width().unwrap_or_default();
        taken <= columns
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Returns one line for each row. Columns in `text` are aligned left, the others right.
pub(crate) fn aligned(rows: &[Vec<String>], text: &[usize]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.width()).max().unwrap_or_default()
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let columns = width(column);
            if text.contains(&column) {
                padded(cell, columns)
            } else {
                format!("{}{cell}", " ".repeat(columns.saturating_sub(cell.width())))
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!((width("注文"), padded("注文", 6).as_str()), (4, "注文  "));
        assert_eq!((cut("注文票", 6).as_str(), cut("注文票", 5).as_str()), ("注文票", "注文…"));
        assert_eq!((cut("orders", 4).as_str(), cut("orders", 6).as_str()), ("ord…", "orders"));
    }

    #[test]
    fn text_is_on_the_left_and_figures_are_on_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["what", "ms", "why"]), row(["é", "10.5", ""])];
        assert_eq!(aligned(&rows, &[0, 2]), ["what    ms  why", "é     10.5"]);
        assert!(aligned(&[], &[0]).is_empty());
        let rows = [row(["a\u{1b}[2J\nb", "", ""]), row(["c", "1", ""])];
        assert_eq!(aligned(&rows, &[0]), ["a\\u{1b}[2J\\nb", "c              1"]);
    }
}
