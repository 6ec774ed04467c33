//! From the bytes of a CSV, TSV, JSON or text file to rows and columns, within a budget.

use super::separated::{Names, separated};
use super::{json, text};
use crate::data::archive::text_of_table;
use crate::data::labelling::visible;
use crate::data::layout::stem;

/// Most bytes of a table.
pub(in crate::data) const MAX_BYTES: u64 = 64 << 20;
/// Most rows.
pub(super) const MAX_ROWS: usize = 1_000_000;
/// Most columns: a row of one column an image is a matrix, not a list.
pub(super) const MAX_COLUMNS: usize = 2000;
/// Most cells; each takes four bytes beside its text.
const MAX_CELLS: usize = 12_000_000;

/// Rows of text, as many cells in each as there are columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Table {
    /// Names from the header, or `column 1` ... where there is none.
    pub(super) columns: Vec<String>,
    /// What the user should know of how it was read.
    pub(super) notes: Vec<String>,
    text: String,
    /// Where each cell ends in `text`, row by row.
    ends: Vec<u32>,
}

impl Table {
    /// A table without rows.
    pub(super) fn new(columns: Vec<String>) -> Self {
        Self {
            columns,
            ..Self::default()
        }
    }

    /// The header and all rows, as lists of cells.
    #[cfg(test)]
    pub(super) fn lines(&self) -> Vec<Vec<String>> {
        let row = |row| {
            let cells = 0..self.columns.len();
            cells
                .map(|column| self.cell(row, column).to_owned())
                .collect()
        };
        let rows = (0..self.rows()).map(row);
        std::iter::once(self.columns.clone()).chain(rows).collect()
    }

    /// Rows below the header.
    pub(super) fn rows(&self) -> usize {
        self.ends.len() / self.columns.len().max(1)
    }

    /// A cell; empty where there is none.
    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        let at = row * self.columns.len() + column;
        let begin = at
            .checked_sub(1)
            .map_or(0, |before| self.ends.get(before).map_or(0, |&e| e as usize));
        let end = self.ends.get(at).map_or(begin, |&e| e as usize);
        self.text.get(begin..end).unwrap_or_default().trim()
    }

    /// Appends a row; too few cells are filled up, too many cut.
    ///
    /// # Errors
    /// The reason if the table grows beyond its budget.
    pub(super) fn push<'a>(
        &mut self,
        cells: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), String> {
        if self.rows() >= MAX_ROWS || self.ends.len() + self.columns.len() > MAX_CELLS {
            return Err(format!(
                "is too long a table: at most {MAX_ROWS} rows and {MAX_CELLS} cells are read"
            ));
        }
        let mut cells = cells.into_iter();
        for _ in 0..self.columns.len() {
            self.text
                .push_str(&visible(cells.next().unwrap_or_default()));
            let end = u32::try_from(self.text.len()).map_err(|_| "is too large a table")?;
            self.ends.push(end);
        }
        Ok(())
    }
}

/// Endings of lists in plain text.
pub(super) const TEXTS: [&str; 4] = [".txt", ".lst", ".list", ".split"];

/// Reads a table by its name's ending; `is_file` tells whether a cell names an image that is there, which no
/// header does, and `names` whether a line of a list may name one.
///
/// # Errors
/// The reason why it cannot be read.
pub(super) fn parse(
    name: &str,
    bytes: &[u8],
    is_file: &dyn Fn(&str) -> bool,
    names: &dyn Fn(&str) -> bool,
) -> Result<Table, String> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!(
            "is a table of {} MB; at most {} are read",
            bytes.len() >> 20,
            MAX_BYTES >> 20
        ));
    }
    let (text, note) = decode(bytes)?;
    let lower = name.to_ascii_lowercase();
    let mut table =
        if lower.ends_with(".json") || lower.ends_with(".jsonl") || lower.ends_with(".ndjson") {
            json::parse(&text, names)?
        } else if TEXTS.iter().any(|ending| lower.ends_with(ending)) {
            text::parse(stem(name), &text, names)?
        } else {
            let names = Names {
                surely: is_file,
                maybe: names,
            };
            let table = separated(&text, names)?;
            json::of_via(&table).unwrap_or(Ok(table))?
        };
    table.notes.extend(note);
    Ok(table)
}

/// The text of a file: UTF-16 by its byte order mark, else UTF-8, else what makes words of it, else Windows' 1252.
fn decode(bytes: &[u8]) -> Result<(String, Option<String>), String> {
    let wide = |rest: &[u8], of: fn([u8; 2]) -> u16| {
        let units = rest.chunks_exact(2).map(|pair| of([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>()
    };
    if let Some(rest) = bytes.strip_prefix(b"\xff\xfe") {
        return Ok((wide(rest, u16::from_le_bytes), None));
    }
    if let Some(rest) = bytes.strip_prefix(b"\xfe\xff") {
        return Ok((wide(rest, u16::from_be_bytes), None));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.get(..4096).unwrap_or(bytes);
    if head.contains(&0) {
        return Err("is not a table of text".into());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok((text.to_owned(), None)),
        Err(_) => {
            if let Some((text, encoding)) = text_of_table(bytes) {
                let note = format!("is not UTF-8 and was read as {encoding}");
                return Ok((text, Some(note)));
            }
            let note = "is not UTF-8 and was read as Windows-1252 text".to_owned();
            Ok((bytes.iter().map(|&b| windows(b)).collect(), Some(note)))
        }
    }
}

/// A byte of code page 1252, as Windows' programs write it where they do not write UTF-8.
fn windows(byte: u8) -> char {
    // https://www.unicode.org/Public/MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT
    const FROM_80: [char; 32] = [
        '\u{20ac}', '\u{fffd}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{fffd}', '\u{17d}',
        '\u{fffd}', '\u{fffd}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}',
        '\u{2013}', '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}',
        '\u{fffd}', '\u{17e}', '\u{178}',
    ];
    match byte {
        0x80..=0x9f => FROM_80[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// What a column without a name of its own is called; counted from 0.
pub(super) fn unnamed(column: usize) -> String {
    format!("{UNNAMED}{}", column + 1)
}

/// Whether that is the name of a column.
pub(super) fn is_unnamed(name: &str) -> bool {
    name.starts_with(UNNAMED)
}

const UNNAMED: &str = "column ";

/// Column names, none empty and none twice: of two called `label` one is `label (2)`, and either may be meant.
pub(super) fn named(names: Vec<String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let numbered = |(i, name): (usize, String)| {
        let mut own = visible(&name).trim().to_owned();
        if own.is_empty() {
            own = unnamed(i);
        }
        let first = own.clone();
        let mut number = 1;
        while !seen.insert(own.clone()) {
            number += 1;
            own = format!("{first} ({number})");
        }
        own
    };
    names.into_iter().enumerate().map(numbered).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(bytes: &[u8]) -> (Vec<String>, Vec<Vec<String>>) {
        let table =
            parse("x.csv", bytes, &|cell| cell.ends_with(".jpg"), &|_| false).expect("a table");
        let row = |r| {
            (0..table.columns.len())
                .map(|c| table.cell(r, c).to_owned())
                .collect()
        };
        (table.columns.clone(), (0..table.rows()).map(row).collect())
    }

    #[test]
    fn separators_quotes_and_encodings() {
        let expected = (
            vec!["file".to_owned(), "name".to_owned()],
            vec![
                vec!["1".to_owned(), "caf\u{e9}, black".to_owned()],
                vec!["2".to_owned(), "say \"so\"".to_owned()],
            ],
        );
        let csv = "file,name\r\n1,\"caf\u{e9}, black\"\r\n\r\n2,\"say \"\"so\"\"\"\r\n";
        assert_eq!(rows(csv.as_bytes()), expected);
        let bom = [b"\xef\xbb\xbf", csv.as_bytes()].concat();
        assert_eq!(rows(&bom), expected);
        for separator in [";", "\t", "|"] {
            let text = format!(
                "file{separator}name\n1{separator}caf\u{e9}, black\n2{separator}say \"so\""
            );
            assert_eq!(rows(text.as_bytes()), expected, "{separator}");
        }
        assert_eq!(
            rows("sep=;\nfile;name\n1;caf\u{e9}, black\n2;say \"so\"".as_bytes()),
            expected
        );
        let utf16 = |f: fn(u16) -> [u8; 2]| csv.encode_utf16().flat_map(f).collect::<Vec<u8>>();
        assert_eq!(
            rows(&[b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat()),
            expected
        );
        assert_eq!(
            rows(&[b"\xfe\xff".to_vec(), utf16(u16::to_be_bytes)].concat()),
            expected
        );
        let latin = b"file;name\n1;caf\xe9, black\n2;say \"so\"";
        assert_eq!(rows(latin), expected);
    }

    #[test]
    fn code_pages_are_told_by_their_words() {
        use encoding_rs as e;
        for (encoding, names) in [
            (
                e::WINDOWS_1251,
                [
                    "\u{43a}\u{43e}\u{448}\u{43a}\u{430}",
                    "\u{441}\u{43e}\u{431}\u{430}\u{43a}\u{430}",
                ],
            ),
            (e::GBK, ["\u{732b}", "\u{72d7}"]),
            (e::SHIFT_JIS, ["\u{732b}", "\u{30bd}\u{30fc}\u{30b9}"]),
            (
                e::EUC_KR,
                ["\u{ace0}\u{c591}\u{c774}", "\u{ac15}\u{c544}\u{c9c0}"],
            ),
            (e::BIG5, ["\u{8c93}", "\u{72d7}"]),
            (e::WINDOWS_1252, ["K\u{f6}nig", "stra\u{df}e"]),
        ] {
            let text = format!("file,label\n1,{}\n2,{}\n", names[0], names[1]);
            let (_, found) = rows(&encoding.encode(&text).0);
            assert_eq!(
                found,
                [["1", names[0]], ["2", names[1]]],
                "{}",
                encoding.name()
            );
        }
    }

    #[test]
    fn a_table_without_a_header_has_numbers_for_names() {
        let (columns, rows) = rows(b"a.jpg,cat\nb.jpg\nc.jpg,dog,more\n");
        assert_eq!(columns, ["column 1", "column 2"]);
        assert_eq!(rows, [["a.jpg", "cat"], ["b.jpg", ""], ["c.jpg", "dog"]]);
    }

    #[test]
    fn budgets_hold() {
        let wide = ",".repeat(MAX_COLUMNS);
        let none = |_: &str| false;
        assert!(parse("x.csv", wide.as_bytes(), &none, &none).is_err());
        assert!(parse("x.csv", b"", &none, &none).is_err());
        assert!(parse("x.csv", b"PK\x03\x04\0\0", &none, &none).is_err());
        let long = "a\n".repeat(MAX_ROWS + 2);
        assert!(parse("x.csv", long.as_bytes(), &none, &none).is_err());
    }
}
