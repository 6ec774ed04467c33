//! Why a data set cannot be trained on: the reason first, then what to do about it.

mod by_names;

use std::collections::BTreeMap;

use super::dataset::Sample;
use super::folders::purpose;
use super::labelling::{list, many, quoted};
use super::layout::{Other, not_an_image, parent};
use super::parts::said;
use crate::protocol::{Part, Skipped, TableSummary};

const HINT: &str = "put each class's images in a folder of its own, named like the class";

/// What was left out, by what it is: "TIFF", ".txt file", with the reason that most of it has.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    kinds: BTreeMap<String, (usize, String)>,
}

impl LeftOut {
    /// Counts a file.
    pub(super) fn add(&mut self, kind: String, reason: &str) {
        let entry = self
            .kinds
            .entry(kind)
            .or_insert_with(|| (0, reason.to_owned()));
        entry.0 += 1;
    }

    /// Files that are none of an image's kind, in a sentence; "12 files, all TIFF: each is ...".
    fn sentence(&self, skipped: &[Skipped]) -> Option<String> {
        if let Some(sentence) = archives(skipped) {
            return Some(sentence);
        }
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by(|a, b| b.1.0.cmp(&a.1.0).then(a.0.cmp(b.0)));
        let total: usize = kinds.iter().map(|k| k.1.0).sum();
        match &kinds[..] {
            [] => {
                let first = skipped.first()?;
                Some(if skipped.len() == 1 {
                    format!(
                        "The only file cannot be used: {} {}.",
                        first.file, first.reason
                    )
                } else {
                    format!(
                        "None of the {} can be used: {} {}, for example.",
                        many(skipped.len(), "file"),
                        first.file,
                        first.reason
                    )
                })
            }
            [(kind, (_, reason))] => Some(if total == 1 {
                format!("There is 1 file, {kind}: it {reason}.")
            } else {
                format!("There are {total} files, all {kind}: each {reason}.")
            }),
            several => {
                let texts: Vec<String> = several
                    .iter()
                    .take(4)
                    .map(|(kind, (n, reason))| format!("{n} {kind} ({reason})"))
                    .collect();
                Some(format!(
                    "None of the {total} files can be used: {}{}.",
                    texts.join("; "),
                    if several.len() > 4 {
                        "; and others"
                    } else {
                        ""
                    }
                ))
            }
        }
    }
}

/// A sentence about archives that cannot be read beside files that are no images either: these are not why there are
/// none.
fn archives(skipped: &[Skipped]) -> Option<String> {
    let (archives, others): (Vec<&Skipped>, Vec<&Skipped>) =
        (skipped.iter()).partition(|s| not_an_image(&s.file) == Some(Other::Archive));
    let is_alone = others.is_empty() || others.iter().any(|other| other.failed);
    let first = archives.first().filter(|_| !is_alone)?;
    Some(format!(
        "The images are probably in {}: it {}.",
        first.file, first.reason
    ))
}

/// What else is known, for the wording.
pub(super) struct Facts<'a> {
    pub(super) left_out: &'a LeftOut,
    pub(super) skipped: &'a [Skipped],
    /// Tables that were looked at for labels, and why they gave none.
    pub(super) tried: &'a [String],
    /// A sentence about files that probably have the labels and are not read.
    pub(super) unread: Option<&'a str>,
    /// Sentences about hidden folders with images.
    pub(super) hidden: &'a [String],
    /// The lists and tables that the parts come from.
    pub(super) lists: &'a [String],
    /// The table that the labels come from.
    pub(super) table: Option<&'a TableSummary>,
}

/// Which folders were taken for which parts, where none was for training, and how to say that one of them is.
fn taken_for_parts(samples: &[Sample]) -> String {
    let mut taken: BTreeMap<&str, Part> = BTreeMap::new();
    for sample in samples.iter().filter(|s| s.class.is_some()) {
        let mut folders = parent(&sample.path).split('/');
        let says = |name: &&str| said(name).is_some_and(|s| s.alone && s.part == sample.subset);
        if let Some(name) = folders.find(says) {
            taken.insert(name, sample.subset);
        }
    }
    // Of several parts the one for validation is the likelier to be meant for training.
    let first = taken.iter().min_by_key(|(_, part)| **part);
    let Some((first, _)) = first else {
        return String::new();
    };
    let texts: Vec<String> = taken
        .iter()
        .map(|(name, part)| format!("\u{201c}{name}\u{201d} is taken for {}", purpose(*part)))
        .collect();
    format!(
        " The folder {}. If {} is for training, say so: --part {}=train, or rename it to train.",
        texts.join(", "),
        if taken.len() == 1 {
            "it"
        } else {
            "one of them"
        },
        quoted(first)
    )
}

/// What keeps one from training on these samples, and what to do about it.
pub(super) fn problem(classes: &[String], samples: &[Sample], facts: &Facts) -> Option<String> {
    let mut counts = vec![0_usize; classes.len()];
    let mut own_validation = false;
    for sample in samples {
        own_validation |= sample.subset == Part::Validation;
        let count = sample.class.and_then(|c| counts.get_mut(c));
        if let (Part::Train, Some(count)) = (sample.subset, count) {
            *count += 1;
        }
    }
    let total: usize = counts.iter().sum();
    let tables = match facts.tried {
        [] => String::new(),
        tried => {
            let first: Vec<&str> = tried.iter().take(3).map(String::as_str).collect();
            format!(" {}.", first.join("; "))
        }
    };
    let unread = || {
        facts
            .unread
            .map_or(String::new(), |text| format!(" {text}"))
    };
    let names = || by_names::hint(samples.iter().map(|sample| sample.path.as_str()));
    let hidden = match facts.hidden {
        [] => String::new(),
        hidden => format!(" {}", hidden.join(" ")),
    };
    if samples.is_empty() {
        let outside = facts
            .skipped
            .iter()
            .filter(|s| s.reason == super::folders::NO_CLASS);
        let names = by_names::hint(outside.clone().map(|s| s.file.as_str()));
        let outside = outside.count();
        if outside > 0 {
            return Some(format!(
                "{} in no class folder, and neither a table nor the file names say what {}.{tables}{}{hidden} Please {HINT}.{names}",
                if outside == 1 {
                    "1 image lies".into()
                } else {
                    format!("{outside} images lie")
                },
                if outside == 1 {
                    "it shows"
                } else {
                    "they show"
                },
                unread(),
            ));
        }
        let reason = facts
            .left_out
            .sentence(facts.skipped)
            .unwrap_or_else(|| "The data set has no images.".into());
        return Some(format!("{reason}{hidden}"));
    }
    if classes.is_empty() {
        return Some(format!(
            "The {} in no class folder, and neither a table nor the file names say what {}.{tables}{}{hidden} Please {HINT}.{}",
            if samples.len() == 1 {
                "1 image lies".into()
            } else {
                format!("{} images lie", samples.len())
            },
            if samples.len() == 1 {
                "it shows"
            } else {
                "they show"
            },
            unread(),
            names(),
        ));
    }
    if total == 0 {
        let taken = taken_for_parts(samples);
        // The name of the table alone stands in the way.
        let is_named = |table: &&TableSummary| {
            taken.is_empty() && table.used.part.is_none() && facts.lists.contains(&table.file)
        };
        let lists = match facts.lists {
            [] => String::new(),
            lists => format!(
                " The lists in use are {}: take one away if it is none of parts{}.",
                list(lists),
                facts.table.filter(is_named).map_or_else(String::new, |table| format!(
                    ", or choose it for its labels if they are to be trained on (--labels {}, or its answer in the page)",
                    quoted(&table.file)
                ))
            ),
        };
        return Some(format!(
            "None of the {} is for training: folders or lists put them into test, validation or prediction, or they lie in no class folder.{taken}{lists}{tables}{hidden}",
            many(samples.len(), "image")
        ));
    }
    let empty: Vec<&str> = classes
        .iter()
        .zip(&counts)
        .filter(|(_, n)| **n == 0)
        .map(|(c, _)| c.as_str())
        .collect();
    if let ([only], Some(table)) = (classes, facts.table) {
        return Some(format!(
            "There is one class only, \u{201c}{only}\u{201d}: {} has {}, of which {} an image that is here{}; training needs at least two classes.{hidden}",
            table.file,
            many(table.rows, "row"),
            if table.matched == 1 {
                "1 names".to_owned()
            } else {
                format!("{} name", table.matched)
            },
            match (&table.used.image, table.columns.len()) {
                (Some(column), 2..) => format!(" in the column \u{201c}{column}\u{201d}"),
                _ => String::new(),
            },
        ));
    }
    if let [only] = classes {
        let first = tables.trim_start();
        let gap = if first.is_empty() { "" } else { " " };
        return Some(format!(
            "{first}{gap}There is one class only, \u{201c}{only}\u{201d}: training needs at least two; {HINT}.{}{hidden}{}",
            unread(),
            names(),
        ));
    }
    if total < classes.len() {
        return Some(format!(
            "There {} {} to train on for {} classes; without any: {}.{hidden}",
            if total == 1 { "is" } else { "are" },
            many(total, "image"),
            classes.len(),
            list(&empty)
        ));
    }
    if !empty.is_empty() {
        return Some(format!(
            "No images to train on in: {}. Add some, or remove the folder.{hidden}",
            empty.join(", ")
        ));
    }
    if !own_validation && counts.iter().all(|&n| n < 2) {
        return Some("Every class has one image only: validation needs a second one in at least one of them.".into());
    }
    None
}
