//! Lists in plain text, as the official divisions of data sets come: `apple_pie/1005649`, `banded/banded_0002.jpg`,
//! `n01440764/10026.JPEG 0`, `1 001.Albatross/0046.jpg`. Blanks separate the columns and may stand in names too, so
//! the form of a list is the one in which the most lines name images that are here.

mod fields;

use std::collections::HashSet;

use self::fields::Fields;
use super::parse::Table;
use super::separated::{Names, separated};
use crate::data::parts;

/// Lines that the form is judged by.
const SAMPLE: usize = 300;
/// Lines that its columns are judged by: each class should be among them several times.
const MANY: usize = 20_000;
/// Most lines of a list that names no image: numbers with names, or names of classes.
const MAX_OTHER: usize = 1_000_000;

/// How the lines of a list are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Number of the image, image.
    Numbered,
    /// Image, then a word behind the last blank.
    WordLast,
    /// Image up to the first blank, then the rest.
    ImageFirst,
    /// Image alone.
    Image,
}

/// Words in the name of a list which tell that its column says the part of each image.
const DIVISION_WORDS: [&str; 6] = ["split", "splits", "partition", "fold", "folds", "subset"];

/// Whether the name of a file speaks of a division as a whole (`train_test_split`, `list_eval_partition`), not of
/// one of its parts.
pub(super) fn says_division(stem: &str) -> bool {
    let words = parts::words(stem);
    words.iter().any(|w| w == "partition")
        || (parts::said(stem).is_none()
            && words.iter().any(|w| DIVISION_WORDS.contains(&w.as_str())))
}

fn is_whole(text: &str) -> bool {
    !text.is_empty() && text.len() < 19 && text.bytes().all(|b| b.is_ascii_digit())
}

fn halves(line: &str) -> Option<(&str, &str)> {
    let (first, rest) = line.split_once(char::is_whitespace)?;
    Some((first, rest.trim_start()))
}

fn last_word(line: &str) -> Option<(&str, &str)> {
    let (first, last) = line.rsplit_once(char::is_whitespace)?;
    Some((first.trim_end(), last))
}

impl Form {
    /// The image that a line names, if the line has this form.
    fn image(self, line: &str) -> Option<&str> {
        match self {
            Self::Numbered => halves(line)
                .filter(|(number, _)| is_whole(number))
                .map(|(_, rest)| rest),
            Self::WordLast => last_word(line).map(|cut| cut.0),
            Self::ImageFirst => halves(line).map(|cut| cut.0),
            Self::Image => Some(line),
        }
    }
}

/// Reads a list; `names` tells whether a text names an image that is here.
///
/// # Errors
/// The reason why it is none.
pub(super) fn parse(stem: &str, text: &str, names: &dyn Fn(&str) -> bool) -> Result<Table, String> {
    // What begins with # is a comment, unless all lines do: Oxford-IIIT Pets' list.txt begins with six.
    let is_comment = |line: &str| line.starts_with('#');
    let all = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let has_rows = all().any(|line| !is_comment(line));
    let lines = || all().filter(|line| !has_rows || !is_comment(line));
    let count = lines().count();
    let step = count.div_ceil(SAMPLE).max(1);
    let sample: Vec<&str> = lines().step_by(step).collect();
    if sample.is_empty() {
        return Err("is an empty list".into());
    }
    // A tab stands in no name.
    if sample.iter().all(|line| line.contains('\t')) {
        return separated(text, any(names));
    }
    // Several names a line, or a list as Python writes it.
    let pieces = |line: &str| -> Vec<String> {
        let bare = |piece: &str| {
            let is_mark = |c: char| c.is_whitespace() || "[](){}\"'".contains(c);
            piece.trim_matches(is_mark).to_owned()
        };
        (line.split(',').map(bare))
            .filter(|p| !p.is_empty())
            .collect()
    };
    let is_row = |line: &&str| {
        let pieces = pieces(line);
        pieces.len() > 1 && pieces.iter().take(SAMPLE).all(|piece| names(piece))
    };
    if sample.iter().any(is_row) {
        let all: Vec<String> = lines().flat_map(pieces).collect();
        return one("image", all.iter().map(String::as_str));
    }
    let mut best = (0, Form::Image);
    for form in [
        Form::Numbered,
        Form::WordLast,
        Form::ImageFirst,
        Form::Image,
    ] {
        let named = sample
            .iter()
            .filter(|line| form.image(line).is_some_and(names))
            .count();
        if named > best.0 {
            best = (named, form);
        }
    }
    let (named, form) = best;
    if named == 0 {
        return other(stem, text, &sample, names);
    }
    let second = if says_division(stem) {
        "split"
    } else {
        "label"
    };
    match form {
        Form::Numbered => two(["id", "image"], lines().map(halves)),
        Form::WordLast => {
            // PASCAL VOC's lists of one class: 1 where it is there, -1 where not. That is no label.
            let marks: Vec<&str> = sample
                .iter()
                .filter_map(|line| Some(last_word(line)?.1))
                .collect();
            if marks.contains(&"-1") && marks.iter().all(|m| ["-1", "0", "1"].contains(m)) {
                return one("image", lines().filter_map(|line| Some(last_word(line)?.0)));
            }
            two(["image", second], lines().map(last_word))
        }
        Form::ImageFirst => {
            // Several figures behind an image (a box, numbers of several kinds) are no label.
            let figures = |line: &&str| {
                let mut rest = line.split_whitespace().skip(1);
                rest.all(|word| word.parse::<f64>().is_ok())
            };
            if sample.iter().all(figures) {
                return one(
                    "image",
                    lines().filter_map(|line| line.split_whitespace().next()),
                );
            }
            let named: Vec<&str> = (sample.iter().copied())
                .filter(|line| form.image(line).is_some_and(names))
                .collect();
            if let Some(place) = place_of_part(&named) {
                return with_parts(lines(), place);
            }
            let is_named = |line: &&str| form.image(line).is_some_and(names);
            let many: Vec<&str> = (lines().step_by(count.div_ceil(MANY).max(1)))
                .filter(is_named)
                .collect();
            match Fields::of(&many) {
                Some(fields) => fields.table(lines(), names),
                None => two(["image", second], lines().map(halves)),
            }
        }
        Form::Image => one("image", lines()),
    }
}

/// Which word behind the image says its part, the first or the last one (`img/1.jpg id_7 query`), where there are more
/// and these are of several parts.
fn place_of_part(lines: &[&str]) -> Option<Position> {
    [Position::Last, Position::First].into_iter().find(|place| {
        let mut parts = HashSet::new();
        let mut is_part = |line: &&str| {
            let cut = halves(line).and_then(|(_, rest)| place.cut(rest));
            let said = cut.and_then(|(part, _)| parts::said(part));
            parts.extend(said.map(|said| said.part));
            said.is_some_and(|said| said.alone)
        };
        lines.iter().all(&mut is_part) && parts.len() > 1
    })
}

/// Where among the words behind an image its part stands.
#[derive(Debug, Clone, Copy)]
enum Position {
    First,
    Last,
}

impl Position {
    /// The part's word, and the others.
    fn cut(self, rest: &str) -> Option<(&str, &str)> {
        match self {
            Self::First => halves(rest),
            Self::Last => last_word(rest).map(|(others, part)| (part, others)),
        }
    }
}

/// Image, label and part; a line of another form is a header, which says what the label is called, or left out.
fn with_parts<'a>(lines: impl Iterator<Item = &'a str>, place: Position) -> Result<Table, String> {
    let mut table = Table::new(["image", "label", "split"].map(str::to_owned).to_vec());
    for line in lines {
        let Some((image, rest)) = halves(line) else {
            continue;
        };
        match place.cut(rest) {
            Some((part, label)) if parts::said(part).is_some() => {
                table.push([image, label, part])?
            }
            Some((_, label)) if table.rows() == 0 => label.clone_into(&mut table.columns[1]),
            _ => {}
        }
    }
    Ok(table)
}

/// A list that names no image: cells with separators, numbers with what they stand for, or names of classes.
fn other(
    stem: &str,
    text: &str,
    sample: &[&str],
    names: &dyn Fn(&str) -> bool,
) -> Result<Table, String> {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let numbered = |line: &&str| halves(line).is_some_and(|(number, _)| is_whole(number));
    if sample.iter().all(numbered) {
        return two(["id", stem], lines().map(halves));
    }
    // The other way round: `/a/airfield 0`.
    let number_last = |line: &&str| last_word(line).is_some_and(|(_, number)| is_whole(number));
    if sample.iter().all(number_last) {
        let swapped = lines().map(|line| last_word(line).map(|(name, number)| (number, name)));
        return two(["id", stem], swapped);
    }
    let cut = |line: &&str| line.contains([',', ';', '|']);
    if sample.iter().all(cut) {
        return separated(text, any(names));
    }
    if lines().nth(MAX_OTHER).is_some() {
        return Err("is too long a list".into());
    }
    one(stem, lines())
}

/// In a list that its separators make a table any cell may name an image.
fn any<'a>(names: &'a dyn Fn(&str) -> bool) -> Names<'a> {
    Names {
        surely: names,
        maybe: names,
    }
}

fn one<'a>(name: &str, lines: impl Iterator<Item = &'a str>) -> Result<Table, String> {
    let mut table = Table::new(vec![name.to_owned()]);
    for line in lines {
        table.push([line])?;
    }
    Ok(table)
}

fn two<'a>(
    names: [&str; 2],
    lines: impl Iterator<Item = Option<(&'a str, &'a str)>>,
) -> Result<Table, String> {
    let mut table = Table::new(names.map(str::to_owned).to_vec());
    for (first, second) in lines.flatten() {
        table.push([first, second])?;
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(stem: &str, text: &str) -> Vec<Vec<String>> {
        let names = |cell: &str| cell.ends_with(".jpg") || cell.starts_with("pie/");
        parse(stem, text, &names).expect(text).lines()
    }

    #[test]
    fn lists_of_every_form() {
        assert_eq!(
            rows("train", "pie/1\r\npie/2\n\n"),
            [["image"], ["pie/1"], ["pie/2"]]
        );
        assert_eq!(
            rows("val", "a b/1.jpg 0\na b/2.jpg 12\n"),
            [["image", "label"], ["a b/1.jpg", "0"], ["a b/2.jpg", "12"]]
        );
        assert_eq!(
            rows("images_variant_train", "1.jpg Boeing 707\n2.jpg A320\n"),
            [
                ["image", "label"],
                ["1.jpg", "Boeing 707"],
                ["2.jpg", "A320"]
            ]
        );
        assert_eq!(
            rows("trainval", "1.jpg 1 1 2\n2.jpg 1 2 2\n"),
            [["image"], ["1.jpg"], ["2.jpg"]]
        );
        assert_eq!(
            rows("cat_train", "1.jpg  1\n2.jpg -1\n3.jpg  0\n"),
            [["image"], ["1.jpg"], ["2.jpg"], ["3.jpg"]]
        );
        assert_eq!(
            rows("images", "1 a/x.jpg\n2 a/y.jpg\n"),
            [["id", "image"], ["1", "a/x.jpg"], ["2", "a/y.jpg"]]
        );
        assert_eq!(
            rows("list_eval_partition", "1.jpg 0\n2.jpg 2\n"),
            [["image", "split"], ["1.jpg", "0"], ["2.jpg", "2"]]
        );
        assert_eq!(
            rows("train_test_split", "1 0\n2 1\n"),
            [["id", "train_test_split"], ["1", "0"], ["2", "1"]]
        );
        assert_eq!(
            rows("classes", "cat\nbig dog\n"),
            [["classes"], ["cat"], ["big dog"]]
        );
    }
}
