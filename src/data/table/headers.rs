//! What the name of a column says of its cells.

use super::columns::{FILE_WORDS, header, rank};
use super::parse::Table;

/// Words of a header that say "label", the surest first.
pub(super) const LABEL_WORDS: [&str; 24] = [
    "label",
    "labels",
    "class",
    "classes",
    "category",
    "target",
    "classname",
    "breed",
    "species",
    "diagnosis",
    "dx",
    "disease",
    "variety",
    "type",
    "categories",
    "kategorie",
    "klasse",
    "clase",
    "classe",
    "etiqueta",
    "tag",
    "tags",
    "choice",
    "choices",
];

/// Words of a header that say that numbers below it measure, count or place something.
const FIGURE_WORDS: [&str; 48] = [
    "x",
    "y",
    "w",
    "h",
    "x0",
    "y0",
    "x1",
    "y1",
    "x2",
    "y2",
    "xmin",
    "ymin",
    "xmax",
    "ymax",
    "cx",
    "cy",
    "left",
    "top",
    "right",
    "bottom",
    "width",
    "height",
    "area",
    "size",
    "bytes",
    "filesize",
    "depth",
    "bits",
    "channels",
    "dpi",
    "latitude",
    "longitude",
    "lat",
    "lon",
    "lng",
    "count",
    "counts",
    "price",
    "cost",
    "age",
    "weight",
    "length",
    "score",
    "confidence",
    "rating",
    "n",
    "num",
    "number",
];

/// Words of a header that say that the cells describe the file, not what it shows, or draw a box in it.
const ABOUT_WORDS: [&str; 23] = [
    "bbox",
    "bboxes",
    "box",
    "boxes",
    "roi",
    "rle",
    "source",
    "url",
    "link",
    "license",
    "licence",
    "author",
    "photographer",
    "credit",
    "rights",
    "date",
    "time",
    "timestamp",
    "datetime",
    "created",
    "modified",
    "camera",
    "filesize",
];

/// The place of the surest word of a header among those that say "label".
pub(super) fn label_rank(table: &Table, column: usize) -> Option<usize> {
    let rank = rank(table, column, &LABEL_WORDS);
    rank.or_else(|| is_y(table, column).then_some(LABEL_WORDS.len()))
}

/// Whether a column's name says that it has labels.
pub(super) fn says_label(table: &Table, column: usize) -> bool {
    label_rank(table, column).is_some()
}

/// Whether a column is the y of a training set, `X` and `y`, and no coordinate: those come with an x, `Bbox [x` in one of
/// the NIH's tables.
fn is_y(table: &Table, column: usize) -> bool {
    let is_x = |other: &usize| {
        let words = header(table, *other);
        words.iter().any(|word| word == "x")
            && !words.iter().any(|word| FILE_WORDS.contains(&word.as_str()))
    };
    table.columns[column].trim().eq_ignore_ascii_case("y")
        && !(0..table.columns.len()).any(|other| is_x(&other))
}

/// Whether a column's name says that its cells, all numbers or not, are no labels.
pub(super) fn is_no_label(table: &Table, column: usize, numbers: bool) -> bool {
    rank(table, column, &ABOUT_WORDS).is_some()
        || (numbers && rank(table, column, &FIGURE_WORDS).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(names: &str) -> Table {
        Table::new(names.split(',').map(str::to_owned).collect())
    }

    #[test]
    fn coordinates_are_no_labels() {
        let labels = |names: &str| -> Vec<String> {
            let table = table(names);
            let columns = (0..table.columns.len()).filter(|&c| says_label(&table, c));
            columns.map(|c| table.columns[c].clone()).collect()
        };
        assert_eq!(labels("Width,Roi.X1,Roi.Y1,ClassId,Path"), ["ClassId"]);
        assert_eq!(labels("filename,x,y"), [""; 0]);
        assert_eq!(labels("filename,y"), ["y"]);
        assert_eq!(labels("filename,Bbox [x,y,w,h]"), [""; 0]);
        assert_eq!(labels("X_path,y"), ["y"]);
        assert!(is_no_label(&table("bone_age"), 0, true));
        assert!(!is_no_label(&table("size"), 0, false), "big, small");
        assert!(is_no_label(&table("license"), 0, false));
        assert!(!is_no_label(&table("digit"), 0, true));
    }
}
