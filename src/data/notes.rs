//! Sentences about a data set that can be trained on, for what the user should know all the same.

use super::dataset::Sample;
use super::labelling::{list, many};
use super::layout::{Other, file_name, stem};
use super::parts;
use crate::protocol::{Part, Skipped};

/// A sentence about test images that are all of one class: lists of them come with a 0 for every label that is not
/// published.
pub(super) fn one_class_tested(classes: &[String], samples: &[Sample]) -> Option<String> {
    const FEW: usize = 5;
    let mut tested = samples
        .iter()
        .filter(|s| s.subset == Part::Test)
        .filter_map(|s| s.class);
    let first = tested.next()?;
    let mut images = 1;
    for class in tested {
        if class != first {
            return None;
        }
        images += 1;
    }
    (classes.len() > 1 && images >= FEW).then(|| {
        format!(
            "All {images} test images are of the class \u{201c}{}\u{201d}: their labels may stand in for ones that are not published.",
            classes.get(first).map_or("", String::as_str)
        )
    })
}

/// A sentence about classes with a single image, which is trained on and never measured.
pub(super) fn single_images(classes: &[String], samples: &[Sample]) -> Option<String> {
    let mut counts = vec![0_usize; classes.len()];
    let mut own_validation = false;
    for sample in samples {
        own_validation |= sample.subset == Part::Validation;
        if let (Part::Train, Some(count)) =
            (sample.subset, sample.class.and_then(|c| counts.get_mut(c)))
        {
            *count += 1;
        }
    }
    let single: Vec<&str> = classes
        .iter()
        .zip(&counts)
        .filter(|(_, n)| **n == 1)
        .map(|(c, _)| c.as_str())
        .collect();
    let held = if own_validation {
        "which is little to learn from"
    } else {
        "which is trained on, so that nothing is measured of it"
    };
    match single[..] {
        [] => None,
        [only] => Some(format!(
            "The class \u{201c}{only}\u{201d} has a single image, {held}."
        )),
        _ => Some(format!(
            "{} classes have a single image each, {held}: {}.",
            single.len(),
            list(&single)
        )),
    }
}

/// A sentence about images in class folders that are by their own names for training and for testing: `train_0.jpg`,
/// `test_0.jpg`.
pub(super) fn parts_in_names(classes: &[String], samples: &[Sample]) -> Option<String> {
    if samples.iter().any(|s| s.subset == Part::Test) {
        return None;
    }
    let part = |sample: &Sample| {
        let class = sample.class.and_then(|class| classes.get(class))?;
        let said = parts::said(stem(&sample.path))?;
        parts::said(class).is_none().then_some(said.part)
    };
    let of = |wanted: Part| {
        let named = samples.iter().filter(move |s| part(s) == Some(wanted));
        named.map(|s| file_name(&s.path)).collect::<Vec<_>>()
    };
    let (test, train) = (of(Part::Test), of(Part::Train));
    (test.len() > 1 && train.len() > 1).then(|| {
        format!(
            "The names of {} files say that they are for testing ({}), and those of {} that they are for training; names of files are not used for that, so all are for training and validation. Put them into folders train and test instead.",
            test.len(),
            list(&test),
            train.len()
        )
    })
}

/// A sentence about images without a class, which no training uses.
pub(super) fn unlabelled(samples: &[Sample]) -> Option<String> {
    let mut images = samples.iter().filter(|s| s.subset == Part::Unlabelled);
    let first = images.next()?;
    let count = 1 + images.count();
    Some(format!(
        "{} {} no class and {} neither for training nor for testing: {}{}.",
        many(count, "image"),
        if count == 1 { "has" } else { "have" },
        if count == 1 { "is" } else { "are" },
        first.path,
        if count == 1 { "" } else { ", ..." }
    ))
}

/// A sentence about files that by their names say which images are for testing, and are of a kind that is not
/// read (MATLAB's, Excel's), where nothing else says it.
pub(super) fn unread_lists(skipped: &[Skipped], samples: &[Sample]) -> Option<String> {
    const ENDINGS: [&str; 23] = [
        "mat", "pkl", "pickle", "npy", "npz", "xls", "xlsx", "ods", "parquet", "arrow", "yaml",
        "yml", "xml", "toml", "dat", "md", "log", "gz", "bz2", "xz", "zst", "db", "",
    ];
    if samples.iter().any(|s| s.subset == Part::Test) {
        return None;
    }
    let is_list = |s: &&Skipped| {
        let name = file_name(&s.file);
        let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
        let speaks = parts::said(stem).is_some()
            || parts::words(stem)
                .iter()
                .any(|w| ["split", "splits", "setid"].contains(&w.as_str()));
        speaks && !stem.ends_with(".tar") && ENDINGS.contains(&ending.to_ascii_lowercase().as_str())
    };
    let lists: Vec<&str> = (skipped.iter().filter(is_list))
        .map(|s| s.file.as_str())
        .collect();
    (!lists.is_empty()).then(|| {
        format!(
            "By {} name {} may say which images are for testing; files of this kind are not read, so all images are for training and validation.",
            if lists.len() == 1 { "its" } else { "their" },
            list(&lists)
        )
    })
}
/// A sentence about tables of a kind that is not read, where the labels were taken from somewhere else.
pub(super) fn spreadsheets(skipped: &[Skipped]) -> Option<String> {
    let is_one = |s: &&Skipped| s.reason == Other::Spreadsheet.reason();
    let names: Vec<&str> = skipped
        .iter()
        .filter(is_one)
        .map(|s| file_name(&s.file))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} may have the labels and cannot be read: save it as CSV.",
            list(&names)
        )
    })
}
