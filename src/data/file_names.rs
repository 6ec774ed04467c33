//! Labels from file names: `cat.0.jpg`, `american_bulldog_100.jpg`.

mod words;

use std::collections::HashMap;

use words::{CAMERAS, has_date, is_time, speaks_of_the_file};

use super::layout::file_name;

/// Longer names follow no pattern.
const MAX_NAME: usize = 300;
/// Most labels that names are taken to give.
const MAX_LABELS: usize = 1000;

/// A pattern of names without folders: `{label}` is the label, `*` any text, `#` a whole number, the rest
/// itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern {
    before: Vec<char>,
    after: Vec<char>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        const LABEL: &str = "{label}";
        let wrong = |what: &str| {
            Err(format!(
                "the pattern of file names \u{201c}{text}\u{201d} {what}; {{label}} stands for the label, * for any text, # for a number: {{label}}_*.jpg"
            ))
        };
        if text.chars().count() > MAX_NAME {
            return wrong("is too long");
        }
        match text.matches(LABEL).count() {
            1 => {}
            0 => return wrong("has no {label}"),
            _ => return wrong("has more than one {label}"),
        }
        if text.contains('/') {
            return wrong("has a folder in it");
        }
        let (before, after) = text.split_once(LABEL).unwrap_or_default();
        Ok(Self {
            before: before.chars().collect(),
            after: after.chars().collect(),
        })
    }

    /// The label that a file's name gives, if it follows the pattern: the longest one that begins as early as
    /// can be. Case counts for the label, not for the rest.
    pub(super) fn label<'a>(&self, path: &'a str) -> Option<&'a str> {
        let name = file_name(path);
        if name.len() > MAX_NAME {
            return None;
        }
        let at: Vec<(usize, char)> = name.char_indices().collect();
        let chars: Vec<char> = at.iter().map(|c| c.1).collect();
        let lower: Vec<char> = chars.iter().map(char::to_ascii_lowercase).collect();
        let byte = |i: usize| at.get(i).map_or(name.len(), |c| c.0);
        let n = lower.len();
        for begin in 0..n {
            if !glob(&self.before, &lower, 0, begin) {
                continue;
            }
            for end in (begin + 1..=n).rev() {
                if glob(&self.after, &lower, end, n) {
                    let label = name[byte(begin)..byte(end)].trim();
                    return (!label.is_empty()).then_some(label);
                }
            }
        }
        None
    }
}

/// Whether characters `from..to` of a name follow a pattern. A number is whole: no digit stands beside it.
fn glob(pattern: &[char], name: &[char], from: usize, to: usize) -> bool {
    let digit = |i: usize| name.get(i).is_some_and(char::is_ascii_digit);
    if let Some(&c) = pattern.first()
        && !matches!(c, '*' | '#')
        && (from == to || name[from] != c.to_ascii_lowercase())
    {
        return false;
    }
    // Places in the name that the pattern read so far can end at.
    let mut at = vec![false; to - from + 1];
    at[0] = true;
    for &c in pattern {
        let mut next = vec![false; at.len()];
        match c {
            '*' => {
                let first = at.iter().position(|&b| b);
                for place in next.iter_mut().skip(first.unwrap_or(at.len())) {
                    *place = true;
                }
            }
            '#' => {
                for i in (0..at.len()).filter(|&i| at[i]) {
                    let start = from + i;
                    if !digit(start) || (start > 0 && digit(start - 1)) {
                        continue;
                    }
                    let mut end = start;
                    while end < to && digit(end) {
                        end += 1;
                    }
                    if end == to && digit(end) {
                        continue;
                    }
                    next[end - from] = true;
                }
            }
            c => {
                for i in (0..at.len() - 1).filter(|&i| at[i]) {
                    if name[from + i] == c.to_ascii_lowercase() {
                        next[i + 1] = true;
                    }
                }
            }
        }
        if !next.contains(&true) {
            return false;
        }
        at = next;
    }
    at[to - from]
}

/// The pattern that these files follow, all of them or else at least 90 %, if it gives labels: two at least, most of
/// them of two images or more.
pub(super) fn find(paths: &[&str]) -> Option<String> {
    find_but(paths, 0).or_else(|| find_but(paths, paths.len() / 10))
}

/// The pattern that all of these files follow but some strays.
fn find_but(paths: &[&str], strays: usize) -> Option<String> {
    if paths.len() < 4 {
        return None;
    }
    let ending = |path: &str| {
        file_name(path)
            .rsplit_once('.')
            .map(|(_, e)| e.to_ascii_lowercase())
    };
    let first = ending(paths[0])?;
    let same = paths
        .iter()
        .all(|path| ending(path).as_deref() == Some(&first));
    let ending = if same { first } else { "*".to_owned() };
    let before = [
        "{label}.*.",
        "{label}_*.",
        "{label}-*.",
        "{label} (*).",
        "{label} *.",
        "{label}#.",
    ];
    let between = [
        "*_{label}_#.",
        "*_{label}-#.",
        "*-{label}-#.",
        "*-{label}_#.",
    ];
    let after = ["*_{label}.", "*-{label}.", "*.{label}.", "* {label}."];
    before
        .iter()
        .map(|form| (form, Form::LabelFirst))
        .chain(between.iter().map(|form| (form, Form::Between)))
        .chain(after.iter().map(|form| (form, Form::NumberFirst)))
        .map(|(form, order)| (format!("{form}{ending}"), order))
        .find(|(text, order)| {
            Pattern::parse(text).is_ok_and(|pattern| gives_labels(&pattern, *order, paths, strays))
        })
        .map(|(text, _)| text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    LabelFirst,
    NumberFirst,
    /// Behind a date, before a number: `2021-05-03_cat_1`.
    Between,
}

fn gives_labels(pattern: &Pattern, form: Form, paths: &[&str], mut strays: usize) -> bool {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let mut residues: HashMap<String, usize> = HashMap::new();
    for path in paths {
        let Some(label) = pattern.label(path) else {
            if strays == 0 {
                return false;
            }
            strays -= 1;
            continue;
        };
        // What is not the label is a number.
        let stem = file_name(path);
        let stem = stem.rsplit_once('.').map_or(stem, |s| s.0);
        let rest = match form {
            Form::LabelFirst => stem.get(label.len()..),
            Form::NumberFirst => stem
                .len()
                .checked_sub(label.len())
                .and_then(|n| stem.get(..n)),
            Form::Between => None,
        };
        if form == Form::Between {
            let (before, after) = stem.split_once(label).unwrap_or((stem, ""));
            let is_digits = |text: &str| !text.contains(char::is_alphabetic);
            let clear = label.starts_with(char::is_alphabetic);
            if !(clear && has_date(before) && is_digits(before) && is_digits(after)) {
                return false;
            }
            *counts.entry(label).or_default() += 1;
            continue;
        }
        let digits = |rest: &str| {
            let rest = rest.trim_matches(|c: char| " ._-()".contains(c));
            let is_date = !rest.contains(char::is_alphabetic) && has_date(rest);
            !rest.is_empty() && (is_date || rest.bytes().all(|b| b.is_ascii_digit()))
        };
        if !rest.is_some_and(digits) || !label.chars().any(char::is_alphabetic) {
            return false;
        }
        *counts.entry(label).or_default() += 1;
        if counts.len() > MAX_LABELS {
            return false;
        }
    }
    // ImageNet's `n01440764_10026` are labels, `IMG_20200101_123` are dates.
    let synset = |label: &&&str| {
        label.len() == 9 && label.starts_with('n') && label[1..].bytes().all(|b| b.is_ascii_digit())
    };
    let synsets = counts.keys().filter(synset).count() == counts.len();
    for label in counts.keys() {
        let residue = super::parts::words(label).join(" ");
        *residues.entry(residue).or_default() += 1;
    }
    // A date or a month says when an image was taken, not what it shows.
    if counts.keys().any(|label| has_date(label)) || counts.keys().all(|label| is_time(label)) {
        return false;
    }
    // `train_cat_1`, `test_1`: labels that all speak of a part are none.
    if counts
        .keys()
        .all(|label| super::parts::said(label).is_some())
    {
        return false;
    }
    // What one image of a pair is, or a copy, stands before the number as a label would.
    if speaks_of_the_file(counts.keys().copied()) {
        return false;
    }
    let cameras = residues.keys().all(|r| CAMERAS.contains(&r.as_str()));
    let pairs = counts.values().filter(|&&n| n > 1).count();
    counts.len() > 1
        && pairs * 2 >= counts.len()
        && paths.len() >= counts.len() * 2
        && (synsets || (residues.len() > 1 && !cameras))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(pattern: &str, name: &str) -> Option<String> {
        let pattern = Pattern::parse(pattern).expect("a pattern");
        pattern.label(name).map(str::to_owned)
    }

    #[test]
    fn a_pattern_gives_the_longest_label() {
        let cases = [
            ("{label}.*.jpg", "train/cat.0.jpg", Some("cat")),
            (
                "{label}_*.jpg",
                "american_bulldog_100.JPG",
                Some("american_bulldog"),
            ),
            ("{label}_*_*.jpg", "pug_001_left.jpg", Some("pug")),
            ("{label} (*).jpg", "dew point (12).jpg", Some("dew point")),
            ("{label}#.jpg", "cloudy112.jpg", Some("cloudy")),
            ("{label}#.jpg", "x/7.jpg", None),
            ("*_{label}.png", "001_red_apple.png", Some("red_apple")),
            ("{label}_*.jpg", "cat.jpg", None),
            ("{label}_*.jpg", "cat_1.png", None),
            ("{label}_#.*", "caf\u{e9}_1.png", Some("caf\u{e9}")),
            ("{label}", "cat", Some("cat")),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(
                label(pattern, name).as_deref(),
                expected,
                "{pattern} {name}"
            );
        }
        for pattern in ["*.jpg", "{label}{label}", "a/{label}.jpg"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }

    #[test]
    fn the_pattern_of_all_names_is_found() {
        let found = |names: &str| find(&names.split(", ").collect::<Vec<_>>());
        let cases = [
            (
                "cat.0.jpg, cat.1.jpg, dog.0.jpg, dog.1.jpg",
                Some("{label}.*.jpg"),
            ),
            (
                "Abyssinian_1.jpg, Abyssinian_2.jpg, american_bulldog_1.jpg, american_bulldog_10.jpg",
                Some("{label}_*.jpg"),
            ),
            ("a-1.png, a-2.png, b-1.jpg, b-2.jpg", Some("{label}-*.*")),
            (
                "sun (1).jpg, sun (2).jpg, rain (1).jpg, rain (2).jpg",
                Some("{label} (*).jpg"),
            ),
            (
                "cloudy1.jpg, cloudy2.jpg, shine1.jpg, shine20.jpg",
                Some("{label}#.jpg"),
            ),
            (
                "1_cat.jpg, 2_cat.jpg, 3_dog.jpg, 4_dog.jpg",
                Some("*_{label}.jpg"),
            ),
            (
                "n01440764_1.JPEG, n01440764_2.JPEG, n01443537_1.JPEG, n01443537_2.JPEG",
                Some("{label}_*.jpeg"),
            ),
            // Dates and months say when, not what.
            (
                "2021-05-03_cat_1.jpg, 2021-05-03_dog_2.jpg, 2021-05-04_cat_1.jpg, 2021-05-04_dog_2.jpg",
                Some("*_{label}_#.jpg"),
            ),
            (
                "20210503_cat_1.jpg, 20210503_dog_2.jpg, 20210504_cat_1.jpg, 20210504_dog_2.jpg",
                Some("*_{label}_#.jpg"),
            ),
            (
                "2021-05-03_cat.jpg, 2021-05-03_dog.jpg, 2021-05-04_cat.jpg, 2021-05-04_dog.jpg",
                Some("*_{label}.jpg"),
            ),
            ("jan_001.jpg, jan_002.jpg, feb_001.jpg, feb_002.jpg", None),
            (
                "2021_may_1.jpg, 2021_may_2.jpg, 2021_june_1.jpg, 2021_june_2.jpg",
                None,
            ),
            (
                "IMG_20210503.jpg, IMG_20210504.jpg, DSC_20210503.jpg, DSC_20210504.jpg",
                None,
            ),
            (
                "cat_20210503_1.jpg, cat_20210504_1.jpg, dog_20210503_2.jpg, dog_20210503_1.jpg, cat_20210503_2.jpg, dog_20210504_1.jpg",
                None,
            ),
            // Cameras count, and do not label.
            ("IMG_1.jpg, IMG_2.jpg, IMG_3.jpg, IMG_4.jpg", None),
            (
                "IMG_20200101_1.jpg, IMG_20200101_2.jpg, IMG_20200102_1.jpg, IMG_20200102_2.jpg",
                None,
            ),
            ("IMG_1.jpg, IMG_2.jpg, DSC_3.jpg, DSC_4.jpg", None),
            (
                "image_0001.jpg, image_0002.jpg, image_0003.jpg, image_0004.jpg",
                None,
            ),
            ("0.jpg, 1.jpg, 2.jpg, 3.jpg", None),
            // Every name another: no labels.
            ("ann_1.jpg, bob_1.jpg, cem_1.jpg, dan_1.jpg", None),
            ("cat_1.jpg, cat_2.jpg, dog_1.jpg, dog.jpg", None),
            // Parts are no labels, alone or before them.
            ("train_0.jpg, train_1.jpg, test_2.jpg, test_3.jpg", None),
            (
                "train_cat_0.jpg, train_cat_1.jpg, test_cat_2.jpg, test_cat_3.jpg",
                None,
            ),
            (
                "patient1_1.jpg, patient1_2.jpg, patient2_1.jpg, patient2_2.jpg",
                None,
            ),
            // Masks beside images, kinds of images, several parts, changed copies.
            ("image_0.png, image_1.png, mask_0.png, mask_1.png", None),
            ("IMG_1.jpg, IMG_2.jpg, cat_1.jpg, cat_2.jpg", None),
            ("rgb_0.png, rgb_1.png, depth_0.png, depth_1.png", None),
            (
                "train_0.jpg, train_1.jpg, val_2.jpg, val_3.jpg, extra_1.jpg, extra_2.jpg",
                None,
            ),
            ("cat_1.jpg, cat_2.jpg, aug_cat_1.jpg, aug_cat_2.jpg", None),
            (
                "1_cat.jpg, 2_cat.jpg, 1_cat_flipped.jpg, 2_cat_flipped.jpg",
                None,
            ),
            // A part's word alone may be a class, and a crop a plant.
            (
                "train_0.jpg, train_1.jpg, plane_2.jpg, plane_3.jpg",
                Some("{label}_*.jpg"),
            ),
            (
                "crop_0.jpg, crop_1.jpg, weed_2.jpg, weed_3.jpg",
                Some("{label}_*.jpg"),
            ),
        ];
        for (names, expected) in cases {
            assert_eq!(found(names).as_deref(), expected, "{names}");
        }
    }
}
