//! Tables with separators, CSV and its kin, as people and programs write them: below a title or a comment, without a
//! header, with blanks before the quotes. A row that is taken for the header is an image lost, and a title that is
//! taken for it hides every column.

mod header;
mod records;

use std::borrow::Cow;

use self::header::is_header;
use self::records::Records;
use super::parse::{Table, named, unnamed};

/// Lines that the form of a table is judged by.
const LINES: usize = 20;
/// Bytes that they are looked for in.
const HEAD: usize = 1 << 16;

/// What tells whether a cell names an image that is here: `surely` one that is no bare word, which may be a header's;
/// `maybe` any.
#[derive(Clone, Copy)]
pub(super) struct Names<'a> {
    pub(super) surely: &'a dyn Fn(&str) -> bool,
    pub(super) maybe: &'a dyn Fn(&str) -> bool,
}

/// Reads a table.
///
/// # Errors
/// The reason why it is none.
pub(super) fn separated(text: &str, names: Names) -> Result<Table, String> {
    // Excel is told the separator in a line of its own.
    let (text, told) = match text.strip_prefix("sep=").and_then(|r| r.split_once('\n')) {
        Some((separator, rest)) => (rest, separator.bytes().next()),
        None => (text, None),
    };
    let text = without_comments(text, names);
    let told = told.filter(u8::is_ascii);
    let separator = told.unwrap_or_else(|| separator(head(text)));
    let text = unblanked(text, separator);
    let mut below = first_records(head(&text), separator);
    let titles = titles(&below, names);
    below.drain(..below.len().min(titles + 1));
    let mut records = Records::new(&text, separator);
    for _ in 0..titles {
        records.next()?;
    }
    if !records.next()? {
        return Err("is an empty table".into());
    }
    let first: Vec<String> = records.cells().map(|c| bare(c.trim()).to_owned()).collect();
    let mut table = if is_header(&first, &below, names) {
        Table::new(named(first))
    } else {
        let mut table = Table::new((0..first.len()).map(unnamed).collect());
        table.push(first.iter().map(String::as_str))?;
        table
    };
    while records.next()? {
        table.push(records.cells().map(bare))?;
    }
    Ok(table)
}

/// The beginning of a text, in whole lines unless the first one is longer.
fn head(text: &str) -> &str {
    let head = &text[..text.floor_char_boundary(HEAD)];
    match head.rfind('\n') {
        Some(end) if head.len() < text.len() => &head[..=end],
        _ => head,
    }
}

/// The first records of a text; those that cannot be read are none.
fn first_records(text: &str, separator: u8) -> Vec<Vec<String>> {
    let mut records = Records::new(text, separator);
    let mut found = Vec::new();
    while found.len() < LINES && records.next().unwrap_or(false) {
        found.push(records.cells().map(|c| bare(c.trim()).to_owned()).collect());
    }
    found
}

/// The text below the lines that begin with `#`. A header may begin so too: it has as many separators as the line below
/// it, which names an image.
fn without_comments<'a>(text: &'a str, names: Names) -> &'a str {
    const SEPARATORS: [char; 4] = [',', ';', '\t', '|'];
    let count = |line: &str| line.matches(SEPARATORS).count();
    let is_row = |line: &str| {
        let mut cells = line.split(SEPARATORS).map(|cell| {
            let is_mark = |c: char| c.is_whitespace() || c == '"';
            cell.trim_matches(is_mark)
        });
        cells.any(names.maybe)
    };
    let mut rest = text.trim_start_matches(['\r', '\n']);
    while rest.starts_with('#') {
        let Some((comment, below)) = rest.split_once('\n') else {
            break;
        };
        let below = below.trim_start_matches(['\r', '\n']);
        let next = below.lines().next().unwrap_or_default();
        if count(comment) > 0 && count(comment) == count(next) && is_row(next) {
            break;
        }
        rest = below;
    }
    rest
}

/// Cells of a record that have something in them.
fn filled(record: &[String]) -> usize {
    record.iter().filter(|cell| !cell.is_empty()).count()
}

/// How many records stand above the header: a title each, in the first cell alone, while those below have more. What
/// names an image is no title.
fn titles(records: &[Vec<String>], names: Names) -> usize {
    let is_title = |record: &[String]| {
        let title = record.first().map_or("", String::as_str);
        !title.is_empty() && filled(record) == 1 && !(names.maybe)(title)
    };
    let above = records.iter().take_while(|record| is_title(record)).count();
    match records.get(above..) {
        // One column, all the way down.
        Some(below) if below.iter().any(|record| filled(record) > 1) => above,
        _ => 0,
    }
}

/// The separator that cuts the first lines into the same number of cells, more than one. Titles above them count against
/// it.
fn separator(text: &str) -> u8 {
    let mut best = (0, 0, b',');
    for separator in *b",;\t|" {
        let records = first_records(&unblanked(text, separator), separator);
        let Some(first) = records.iter().map(Vec::len).find(|&cells| cells > 1) else {
            continue;
        };
        // A last line may be cut.
        let same = records.iter().filter(|cells| cells.len() == first).count();
        let score = (same * 100 / records.len(), first, separator);
        if (score.0, score.1) > (best.0, best.1) {
            best = score;
        }
    }
    best.2
}

/// The text without blanks between a separator and a quoted cell: `"a.jpg", "cat"` has the classes' names in quotes
/// otherwise. What is quoted must end where the cell does, so that an inch sign is none.
fn unblanked(text: &str, separator: u8) -> Cow<'_, str> {
    let separator = char::from(separator);
    let before = [
        format!("{separator} \""),
        format!("{separator}\t\""),
        "\n \"".to_owned(),
    ];
    if separator == '\t' || !before.iter().any(|form| text.contains(form)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        // Quotes so far: within a cell that holds separators nothing is changed.
        let mut quoted = false;
        while let Some(at) = rest.find([separator, '"']) {
            let (cell, after) = rest.split_at(at + 1);
            out.push_str(cell);
            rest = after;
            quoted ^= cell.ends_with('"');
            let bare = rest.trim_start_matches([' ', '\t']);
            if !quoted && cell.ends_with(separator) && is_quoted(bare, separator) {
                rest = bare;
            }
        }
        out.push_str(rest);
    }
    Cow::Owned(out)
}

/// Whether a text begins with a cell in quotes.
fn is_quoted(text: &str, separator: char) -> bool {
    let Some(inner) = text.strip_prefix('"') else {
        return false;
    };
    let plain = inner.replace("\"\"", "__");
    plain.split_once('"').is_some_and(|(_, after)| {
        let after = after.trim_start_matches([' ', '\t', '\r']);
        after.is_empty() || after.starts_with([separator, '\n'])
    })
}

/// The one item of a list as Python or JSON writes it, `['cat']`, or what stands in single quotes; any other cell as it
/// is.
fn bare(cell: &str) -> &str {
    let quoted = |quote: char| {
        let inner = cell.trim().strip_prefix(quote)?.strip_suffix(quote)?;
        (!inner.is_empty() && !inner.contains(quote)).then_some(inner)
    };
    let inner = |quote: char| {
        let list = cell.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
        let item = list.strip_prefix(quote)?.strip_suffix(quote)?;
        (!item.is_empty() && !item.contains([quote, '[', ']'])).then_some(item)
    };
    let item = inner('\'').or_else(|| inner('"'));
    item.or_else(|| quoted('\'')).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Vec<String>> {
        let surely = |cell: &str| cell.ends_with(".jpg");
        let maybe = |cell: &str| surely(cell) || cell.starts_with("ISIC_") || cell == "anna";
        let names = Names {
            surely: &surely,
            maybe: &maybe,
        };
        separated(text, names).expect(text).lines()
    }

    #[test]
    fn titles_and_comments_stand_above_the_header() {
        let expected = [["file", "label"], ["a.jpg", "cat"], ["b.jpg", "dog"]];
        let table = "file,label\na.jpg,cat\nb.jpg,dog\n";
        for above in [
            "# by a tool, version 1.2, of today\n",
            "# by a tool, of today\n",
            "# by a tool\r\n# in May\r\n\r\n",
            "My labels\n",
            "My labels\n\n",
            "My labels,\n\n",
            "",
        ] {
            assert_eq!(rows(&format!("{above}{table}")), expected, "{above}");
        }
        assert_eq!(rows("My labels\nfile;label\na.jpg;cat\n")[0], expected[0]);
        assert_eq!(rows("#file,label\na.jpg,cat\n")[0], ["#file", "label"]);
        // What has one column all the way has no title, nor has an index of pandas without a name.
        assert_eq!(rows("file\na.jpg\n"), [["file"], ["a.jpg"]]);
        assert_eq!(rows(",label\na.jpg,cat\n")[0], ["column 1", "label"]);
    }

    #[test]
    fn blanks_before_quotes_are_none_of_a_cell() {
        let expected = [["file", "label"], ["a.jpg", "cat, black"]];
        assert_eq!(
            rows("\"file\", \"label\"\n\"a.jpg\", \"cat, black\"\n"),
            expected
        );
        assert_eq!(
            rows("file;\t\"label\" \na.jpg;  \"cat, black\"\n"),
            expected
        );
        let inches = [["file", "size"], ["a.jpg", "5\" \"x"]];
        assert_eq!(rows("file,size\na.jpg, 5\" \"x\n"), inches);
    }

    #[test]
    fn a_list_of_one_is_its_item() {
        let expected = [["file", "label"], ["a.jpg", "cat"], ["b.jpg", "['x', 'y']"]];
        assert_eq!(
            rows("file,label\na.jpg,\"['cat']\"\nb.jpg,\"['x', 'y']\"\n"),
            expected
        );
        assert_eq!(
            rows("file,label\na.jpg,\"[\"\"cat\"\"]\"\nb.jpg,\"['x', 'y']\"\n"),
            expected
        );
    }

    #[test]
    fn single_quotes_are_none_of_a_cell() {
        let expected = [["file", "label"], ["a.jpg", "dog's"]];
        assert_eq!(rows("'file','label'\n'a.jpg',dog's\n"), expected);
    }

    #[test]
    fn a_first_row_that_names_an_image_is_no_header() {
        let first = |text: &str| rows(text)[0].clone();
        let none = ["column 1", "column 2"];
        assert_eq!(first("ISIC_1,mel\nISIC_2,nv\nISIC_3,mel\n"), none);
        assert_eq!(first("anna,f\nbert,m\ncarl,f\n"), none);
        // Not here, but of the form of the others, with a label that comes again.
        assert_eq!(first("x00,cat\nx01,dog\nx02,cat\n"), none);
        let hashes = "9f3a0c,cat\n71bbd2,dog\n0a11ef,cat\n";
        assert_eq!(first(hashes), none);
        assert_eq!(first("image,class\nx01,dog\nx02,cat\n"), ["image", "class"]);
        assert_eq!(first("image,dog\nx01,dog\nx02,cat\n"), ["image", "dog"]);
        assert_eq!(first("name,f\nanna,f\nbert,m\n"), ["name", "f"]);
    }
}
