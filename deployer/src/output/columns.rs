//! Columns side by side.

use crate::printable::one_line;

/// One line for each row: the columns of these numbers are text and start at the left, the others are figures.
pub(crate) fn aligned(rows: &[Vec<String>], text: &[usize]) -> Vec<String> {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| one_line(cell)).collect()).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            if text.contains(&column) { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
