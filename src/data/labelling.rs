//! What a way to read the labels says of each image.

use std::borrow::Cow;
use std::collections::HashMap;

use super::dataset::Candidate;
use crate::platform::text::nfc;
use crate::protocol::{ClassCount, Labels, Part, Reading};

/// Classes that a reading is shown with.
const SHOWN: usize = 12;
/// Classes that a reading is shown with in pictures.
const PICTURED: usize = 6;

/// Where an image belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Spot {
    /// Its part, and its class, a number into [`Labelling::names`]; none if it is not known.
    In(Part, Option<u32>),
    /// Nowhere, for a reason that is listed; whether that is a fault.
    Out(Cow<'static, str>, bool),
    /// Nowhere, which the folder it lies in is listed for.
    Folder,
}

/// What is said of the images, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Labelling {
    /// Classes, in the order in which they were met.
    pub(super) names: Vec<String>,
    /// One an image.
    pub(super) spots: Vec<Spot>,
    /// The parts that the folders say, where they are read so; empty if the reading has none of its own.
    pub(super) parts: Vec<Option<Part>>,
    /// Of which images the user named the folder and said its part; empty if of none.
    pub(super) named: Vec<bool>,
    /// What the user should know, a sentence each.
    pub(super) notes: Vec<String>,
    /// Numbers of the names as they stood in paths or cells.
    pub(super) known: HashMap<String, u32>,
}

/// A text without the characters that show nothing and come with copying from web pages: soft hyphens, byte order
/// marks, marks of direction, blanks of no width. Joiners stay: Persian and Hindi write words with them.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let is_invisible = |c: char| {
        matches!(
            c,
            '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}'
        )
    };
    if text.is_ascii() || !text.contains(is_invisible) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace(is_invisible, ""))
}

/// A class's name as it is compared and shown: in NFC, without characters that show nothing, without blanks at its ends.
pub(super) fn clean(name: &str) -> String {
    if name.is_ascii() {
        return name.trim().to_owned();
    }
    nfc(&visible(name)).trim().to_owned()
}

impl Labelling {
    /// The number of a class; its spelling counts in NFC and without blanks at its ends.
    pub(super) fn class(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.known.get(name) {
            return number;
        }
        let cleaned = clean(name);
        let number = match self.known.get(&cleaned) {
            Some(&number) => number,
            None => {
                self.names.push(cleaned.clone());
                (self.names.len() - 1) as u32
            }
        };
        self.known.insert(cleaned, number);
        self.known.insert(name.to_owned(), number);
        number
    }

    /// Images of each class and part, in the order of `names`.
    pub(super) fn counts(&self) -> Vec<[usize; 4]> {
        let mut counts = vec![[0; 4]; self.names.len()];
        for spot in &self.spots {
            if let Spot::In(part, Some(class)) = spot
                && let Some(count) = counts.get_mut(*class as usize)
            {
                count[*part as usize] += 1;
            }
        }
        counts
    }

    /// Classes that have an image.
    pub(super) fn filled(&self) -> usize {
        let counts = self.counts();
        counts.iter().filter(|c| c.iter().any(|&n| n > 0)).count()
    }

    /// Classes that have an image to train on.
    pub(super) fn trained(&self) -> usize {
        let counts = self.counts();
        counts
            .iter()
            .filter(|c| c[Part::Train as usize] > 0)
            .count()
    }

    /// Makes one class of each group of names; the first name stays.
    pub(super) fn merge(&mut self, groups: &[Vec<u32>]) {
        let mut into: Vec<u32> = (0..self.names.len() as u32).collect();
        for group in groups {
            for &other in group {
                into[other as usize] = group[0];
            }
        }
        self.renumber(&into);
        self.retain_classes(|class| into[class] == class as u32);
    }

    /// Leaves out the images of classes that have images for validation or test alone, and those classes: no training
    /// learns them, and the others can be trained all the same. Says so.
    pub(super) fn leave_out_untrained(&mut self) {
        let counts = self.counts();
        if self.trained() < 2 {
            return;
        }
        let is_lost: Vec<bool> = counts
            .iter()
            .map(|c| c[Part::Train as usize] == 0 && c.iter().sum::<usize>() > 0)
            .collect();
        let lost = |class: u32| is_lost.get(class as usize) == Some(&true);
        let names: Vec<&str> = (0..self.names.len())
            .filter(|&class| is_lost[class])
            .map(|class| self.names[class].as_str())
            .collect();
        if names.is_empty() {
            return;
        }
        let mut images = 0;
        for spot in &mut self.spots {
            if let Spot::In(_, Some(class)) = *spot
                && lost(class)
            {
                images += 1;
                let name = &self.names[class as usize];
                let reason = format!(
                    "is of the class \u{201c}{name}\u{201d}, which has no image to train on"
                );
                *spot = Spot::Out(reason.into(), false);
            }
        }
        self.notes.push(format!(
            "{} {} images for validation or test alone, so no model learns {}: {}. {} {} left out of what is measured.",
            many(names.len(), "class"),
            if names.len() == 1 { "has" } else { "have" },
            if names.len() == 1 { "it" } else { "them" },
            list(&names),
            many(images, "image"),
            if images == 1 { "is" } else { "are" },
        ));
        self.retain_classes(|class| !is_lost[class]);
    }

    /// Drops the classes of which lists name no image, and says so.
    pub(super) fn drop_unlisted(&mut self) {
        let counts = self.counts();
        let is_empty = |class: usize| counts[class].iter().sum::<usize>() == 0;
        let names: Vec<&str> = (0..self.names.len())
            .filter(|&class| is_empty(class))
            .map(|class| self.names[class].as_str())
            .collect();
        if names.is_empty() {
            return;
        }
        self.notes.push(format!(
            "The lists name no image of {}: {}. Nothing is learnt of {}.",
            if names.len() == 1 {
                "one class"
            } else {
                "these classes"
            },
            list(&names),
            if names.len() == 1 { "it" } else { "them" },
        ));
        self.drop_empty();
    }

    /// Drops the classes that no image has.
    pub(super) fn drop_empty(&mut self) {
        let counts = self.counts();
        self.retain_classes(|class| counts[class].iter().sum::<usize>() > 0);
    }

    /// Keeps these classes, in their order; no image may be of another one.
    fn retain_classes(&mut self, keep: impl Fn(usize) -> bool) {
        self.known.retain(|_, class| keep(*class as usize));
        let mut place = vec![0; self.names.len()];
        let mut kept = Vec::new();
        for (class, name) in std::mem::take(&mut self.names).into_iter().enumerate() {
            if keep(class) {
                place[class] = kept.len() as u32;
                kept.push(name);
            }
        }
        self.names = kept;
        self.renumber(&place);
    }

    /// Gives each class the number that stands at its old one.
    fn renumber(&mut self, place: &[u32]) {
        for spot in &mut self.spots {
            if let Spot::In(_, Some(class)) = spot {
                *class = place[*class as usize];
            }
        }
        for number in self.known.values_mut() {
            *number = place[*number as usize];
        }
    }

    /// Sorts the classes by name.
    pub(super) fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.names.len() as u32).collect();
        order.sort_by(|&a, &b| self.names[a as usize].cmp(&self.names[b as usize]));
        let mut place = vec![0; order.len()];
        for (to, &from) in order.iter().enumerate() {
            place[from as usize] = to as u32;
        }
        let take = |&i: &u32| self.names[i as usize].clone();
        self.names = order.iter().map(take).collect();
        self.renumber(&place);
    }

    /// The first few class names for a sentence: "cat, dog and 3 more".
    pub(super) fn listed(&self) -> String {
        let mut names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        names.sort_unstable();
        list(&names)
    }

    /// This as one of several readings; `files` are the images' numbers in the source.
    pub(super) fn candidate(
        &self,
        labels: Labels,
        text: String,
        flags: String,
        files: &[usize],
    ) -> Candidate {
        let counts = self.counts();
        let mut order: Vec<usize> = (0..self.names.len()).collect();
        order.sort_by(|&a, &b| self.names[a].cmp(&self.names[b]));
        let shown = order.iter().take(SHOWN).map(|&i| ClassCount {
            name: self.names[i].clone(),
            train: counts[i][0] + counts[i][1],
            test: counts[i][2],
        });
        let mut examples = vec![None; self.names.len()];
        for (spot, &file) in self.spots.iter().zip(files) {
            if let Spot::In(_, Some(class)) = spot
                && let Some(example) = examples.get_mut(*class as usize)
            {
                example.get_or_insert(file);
            }
        }
        Candidate {
            examples: order
                .iter()
                .take(PICTURED)
                .filter_map(|&i| examples[i])
                .collect(),
            reading: Reading {
                labels,
                text,
                flags,
                classes: shown.collect(),
                count: self.names.len(),
                first_picture: 0,
                pictures: 0,
            },
        }
    }
}

/// The first few of some names: "cat, dog, eel and 3 more".
pub(super) fn list<S: AsRef<str>>(names: &[S]) -> String {
    const FIRST: usize = 4;
    let short = |name: &S| {
        let name = name.as_ref();
        match name.char_indices().nth(60) {
            Some((at, _)) => format!("{}\u{2026}", &name[..at]),
            None => name.to_owned(),
        }
    };
    if names.len() <= FIRST + 1 {
        return names.iter().map(short).collect::<Vec<_>>().join(", ");
    }
    let first: Vec<String> = names[..FIRST].iter().map(short).collect();
    format!("{} and {} more", first.join(", "), names.len() - FIRST)
}

/// A count with its noun: "1 image", "2 images".
pub(super) fn many(n: usize, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        let ending = if noun.ends_with(['s', 'x', 'h']) {
            "es"
        } else {
            "s"
        };
        format!("{n} {noun}{ending}")
    }
}

/// A word as an argument of the command line, quoted where a shell would not leave it alone.
pub(super) fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./+:=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_are_compared_in_nfc_and_trimmed() {
        let mut found = Labelling::default();
        let composed = found.class("caf\u{e9}");
        assert_eq!(found.class("cafe\u{301}"), composed);
        assert_eq!(found.class(" caf\u{e9} "), composed);
        assert_eq!(
            found.class("\u{feff}ca\u{ad}f\u{e9}\u{200b}\u{200e}"),
            composed
        );
        assert_ne!(found.class("Caf\u{e9}"), composed);
        assert_eq!(found.names, ["caf\u{e9}", "Caf\u{e9}"]);
    }

    #[test]
    fn similar_names_become_one_and_numbers_follow() {
        let mut found = Labelling::default();
        for name in [
            "dog",
            "Golden Retriever",
            "cat",
            "golden_retriever",
            "golden-retriever",
        ] {
            let class = found.class(name);
            found.spots.push(Spot::In(Part::Train, Some(class)));
        }
        let class = found.class("golden_retriever");
        found.spots.push(Spot::In(Part::Train, Some(class)));
        let groups = found.similar();
        assert_eq!(groups, [[3, 1, 4]]);
        found.merge(&groups);
        found.sort();
        assert_eq!(found.names, ["cat", "dog", "golden_retriever"]);
        let classes: Vec<_> = found
            .spots
            .iter()
            .map(|s| match s {
                Spot::In(_, class) => class.expect("a class"),
                _ => panic!("left out"),
            })
            .collect();
        assert_eq!(classes, [1, 2, 0, 2, 2, 2]);
        assert_eq!(found.class("golden-retriever"), 2);
    }

    #[test]
    fn a_shell_gets_its_quotes() {
        assert_eq!(quoted("labels.csv"), "labels.csv");
        assert_eq!(quoted("{label}_*.jpg"), "'{label}_*.jpg'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
    }
}
