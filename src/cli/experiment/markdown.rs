//! The table of the experiments as Markdown.

use super::row::{FIGURE, NOTES, RESULTS, Row, SETTINGS};

/// The page.
pub fn page(title: &str, data: &[String], rows: &[Row]) -> String {
    let mut text = format!("# {}\n\n", escaped(title));
    for data in data {
        text.push_str(&format!("{}\n\n", escaped(data)));
    }
    let headings = SETTINGS.iter().chain([&FIGURE]).chain(&RESULTS);
    let headings: Vec<&str> = headings.copied().collect();
    text.push_str(&line(headings.iter().map(ToString::to_string)));
    text.push_str(&line(headings.iter().map(|_| "---".to_owned())));
    for row in rows {
        let results = match &row.results {
            Ok(results) => results.to_vec(),
            Err(reason) => {
                let mut cells = vec![String::new(); RESULTS.len()];
                cells[0].clone_from(reason);
                cells
            }
        };
        let cells = row.settings.iter().chain([&row.figure]).chain(&results);
        text.push_str(&line(cells.map(|cell| escaped(cell))));
    }
    for note in NOTES {
        text.push_str(&format!("\n- {note}"));
    }
    text.push('\n');
    text
}

fn line(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.collect();
    format!("| {} |\n", cells.join(" | "))
}

/// A text that means nothing but itself, in one line.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '|' | '*' | '`' | '[' | ']' | '\\' => escaped.extend(['\\', c]),
            '\n' | '\r' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_breaks_no_table_and_is_no_markup() {
        assert_eq!(escaped("a|b <i>\n*c*"), "a\\|b &lt;i&gt; \\*c\\*");
        let row = Row {
            settings: std::array::from_fn(|at| format!("set|{at}")),
            figure: "92 %".to_owned(),
            results: Err("failed: x | y".to_owned()),
        };
        let page = page("T", &[], &[row]);
        let columns = |line: &str| line.replace("\\|", "").matches('|').count();
        let table: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(table.len(), 3);
        assert!(table.iter().all(|line| columns(line) == 16), "{page}");
    }
}
