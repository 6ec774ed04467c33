//! Words and numbers in file names that say what a file is, or when it was made, and not what it shows.

use crate::data::class_names::MADE;

/// What cameras and programs begin every name with.
pub(super) const CAMERAS: [&str; 32] = [
    "img",
    "dsc",
    "dscn",
    "dscf",
    "pxl",
    "image",
    "images",
    "frame",
    "photo",
    "pic",
    "picture",
    "screenshot",
    "scan",
    "file",
    "sample",
    "p",
    "im",
    "pano",
    "vid",
    "mvimg",
    "burst",
    "whatsapp image",
    "signal",
    "gopr",
    "dji",
    "cimg",
    "imag",
    "sam",
    "crop",
    "page",
    "img wa",
    "unnamed",
];

/// Names of months and of days of the week, and what they are cut to.
const TIMES: [&str; 46] = [
    "jan",
    "january",
    "feb",
    "february",
    "mar",
    "march",
    "apr",
    "april",
    "may",
    "jun",
    "june",
    "jul",
    "july",
    "aug",
    "august",
    "sep",
    "sept",
    "september",
    "oct",
    "october",
    "nov",
    "november",
    "dec",
    "december",
    "mon",
    "monday",
    "tue",
    "tues",
    "tuesday",
    "wed",
    "wednesday",
    "thu",
    "thur",
    "thurs",
    "thursday",
    "fri",
    "friday",
    "sat",
    "saturday",
    "sun",
    "sunday",
    "am",
    "pm",
    "morning",
    "noon",
    "evening",
];

/// Whether all words of a label are months, days or times of day: `jan`, `2021_may`.
pub(super) fn is_time(label: &str) -> bool {
    let words = crate::data::parts::words(label);
    !words.is_empty() && words.iter().all(|word| TIMES.contains(&word.as_str()))
}

/// Whether a label has a date in it: `2021-05-03_cat`, `20210503 cat`.
pub(super) fn has_date(label: &str) -> bool {
    let groups: Vec<&str> = (label.split(|c: char| !c.is_ascii_digit()))
        .filter(|group| !group.is_empty())
        .collect();
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let is_year = |text: &str| text.len() == 4 && (1900..2100).contains(&number(text));
    let is_day = |a: &str, b: &str| {
        let [a, b] = [number(a), number(b)];
        (1..=31).contains(&a) && (1..=31).contains(&b) && a.min(b) <= 12
    };
    let glued = |group: &&str| {
        group.len() >= 8 && is_year(&group[..4]) && is_day(&group[4..6], &group[6..8])
    };
    groups.iter().any(glued)
        || groups
            .windows(3)
            .any(|w| (is_year(w[0]) && is_day(w[1], w[2])) || (is_year(w[2]) && is_day(w[0], w[1])))
}

/// Beginnings of names that say what a file is, or what wrote it, and never what it shows.
const FILE_WORDS: [&str; 31] = [
    "img",
    "image",
    "images",
    "im",
    "dsc",
    "dscn",
    "dscf",
    "pxl",
    "photo",
    "pic",
    "picture",
    "screenshot",
    "whatsapp image",
    "pano",
    "vid",
    "mvimg",
    "gopr",
    "dji",
    "cimg",
    "imag",
    "download",
    "unnamed",
    "mask",
    "masks",
    "label",
    "labels",
    "gt",
    "groundtruth",
    "ground truth",
    "annotation",
    "seg",
];

/// Kinds of images of one scene, of which a data set has several side by side.
const MODALITIES: [&str; 14] = [
    "rgb",
    "depth",
    "thermal",
    "ir",
    "infrared",
    "nir",
    "visible",
    "gray",
    "grayscale",
    "color",
    "colour",
    "normal map",
    "original",
    "resized",
];

/// More words than [`MADE`] for what was done to a copy of an image: in the name of a class they may be what it shows
/// (`apple rot`, `rice crop`).
const CHANGED: [&str; 7] = ["rot", "copy", "crop", "noise", "noisy", "bright", "mirror"];

/// Whether labels found in names say what the files are rather than what they show: one that only cameras and
/// annotators write, several parts, kinds of images side by side, or a label and the same with a word for a changed copy.
pub(super) fn speaks_of_the_file<'a>(labels: impl Iterator<Item = &'a str>) -> bool {
    let words: Vec<Vec<String>> = labels.map(crate::data::parts::words).collect();
    let joined: Vec<String> = words.iter().map(|words| words.join(" ")).collect();
    let among = |list: &[&str]| joined.iter().filter(|l| list.contains(&l.as_str())).count();
    let is_part = |label: &&String| crate::data::parts::said(label).is_some_and(|said| said.alone);
    let is_copy = |own: &Vec<String>| {
        let kept: Vec<&String> = own
            .iter()
            .filter(|w| !MADE.iter().chain(&CHANGED).any(|word| word == w))
            .collect();
        kept.len() < own.len()
            && words
                .iter()
                .any(|other| other.iter().eq(kept.iter().copied()))
    };
    among(&FILE_WORDS) > 0
        || among(&MODALITIES) > 1
        || joined.iter().filter(is_part).count() > 1
        || words.iter().any(is_copy)
}
