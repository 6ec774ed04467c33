//! Whether the first row of a table is its header. `ISIC_0000000,benign` is none, and looks like one as long as only
//! names with an ending are taken for those of images.

use std::collections::HashSet;

use super::Names;
use crate::data::parts::words;
use crate::data::table::columns::FILE_WORDS;
use crate::data::table::headers::LABEL_WORDS;

/// Whether the first row has the names of the columns, and is no row like those below.
pub(super) fn is_header(first: &[String], below: &[Vec<String>], names: Names) -> bool {
    if first.iter().any(|cell| (names.surely)(cell)) {
        return false;
    }
    let mut columns = first
        .iter()
        .enumerate()
        .filter(|(_, cell)| may_be_row(cell));
    !columns.any(|(column, cell)| {
        let others = cells(below, column);
        let named = others.iter().filter(|other| (names.maybe)(other)).count();
        let is_name = (names.maybe)(cell) && named * 2 >= others.len();
        is_name || (has_form_of(cell, &others) && has_label_of(first, below, column))
    })
}

/// Whether a cell is not what the column of images or of labels is called.
fn may_be_row(cell: &str) -> bool {
    let is_word =
        |word: &String| FILE_WORDS.contains(&word.as_str()) || LABEL_WORDS.contains(&word.as_str());
    !cell.is_empty() && !words(cell).iter().any(is_word)
}

/// What stands in a column, where anything does.
fn cells(rows: &[Vec<String>], column: usize) -> Vec<&str> {
    let cells = rows.iter().filter_map(|row| row.get(column));
    cells
        .map(String::as_str)
        .filter(|c| !c.is_empty())
        .collect()
}

/// Letters, digits and what stands between them: `x00.jpg` and `x01.jpg` have one form. Of hexadecimal digits the number
/// counts.
fn form(cell: &str) -> String {
    let has = |is: fn(&u8) -> bool| cell.bytes().any(|b| is(&b));
    let is_hex = cell.len() >= 6 && cell.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic) {
        return format!("hex {}", cell.len());
    }
    let mut form = String::new();
    for c in cell.chars() {
        let kind = match c {
            c if c.is_ascii_digit() => '0',
            c if c.is_alphabetic() => 'a',
            c => c,
        };
        if !form.ends_with(kind) {
            form.push(kind);
        }
    }
    form
}

/// Whether a cell has the form of nearly all names below it, which are all different, as those of images are.
fn has_form_of(cell: &str, others: &[&str]) -> bool {
    let own = form(cell);
    let different: HashSet<&&str> = others.iter().collect();
    let alike = others.iter().filter(|other| form(other) == own).count();
    !others.contains(&cell)
        && different.len() == others.len()
        && others.len() > 1
        && alike * 10 >= others.len() * 9
}

/// Whether another cell of the first row comes again below it, as labels do and names of columns do not.
fn has_label_of(first: &[String], below: &[Vec<String>], names: usize) -> bool {
    let mut others = first
        .iter()
        .enumerate()
        .filter(|(column, _)| *column != names);
    others.any(|(column, cell)| cells(below, column).contains(&cell.as_str()))
}
