//! The parts of the images as tables and lists say them: `train.txt` and `test.txt` with a name a line, a column
//! `split`. Whoever publishes a data set with class folders says in such lists which images are for testing; trained on
//! all the same, they would make the measured accuracy too high.
//!
//! Where two sources speak of one image, the stricter one holds: what anything calls a test image is never trained on.

use std::collections::{BTreeMap, HashSet};

use super::folders::purpose;
use super::labelling::{Labelling, Spot, list, many};
use super::layout::{file_name, parent, stem};
use super::parts::{said, words};
use super::reading::{self, ReadTable};
use super::table::{Files, LabelTable, Match, is_table, is_text};
use super::unused_lists;
use crate::protocol::Part;

/// Why an image is left out that no list names, where lists name those to train on.
pub(super) const UNLISTED: &str =
    "is in none of the lists of images for training, validation and test";

/// Why an image is left out for which a table has a word that is no part's.
const STRANGE: &str = "has a word that stands for no part in the column of parts";

/// What the tables and lists of a data set say of the parts of its images.
#[derive(Debug, Clone, Default)]
pub(super) struct Division {
    /// The part of each image that one of them names.
    parts: Vec<Option<Part>>,
    /// Images for which a column of parts has a word that is no part's: they are left out.
    strange: Vec<bool>,
    /// Whether images for training are named: others are then left out.
    names_training: bool,
    /// Of which images the user said the part; empty if of none.
    named: Vec<bool>,
    /// Whether the user chose tables whose names say that there is nothing to train on.
    trains_on_chosen: bool,
    /// Paths of the files that it is read from.
    pub(super) read: Vec<String>,
    /// What the user should know, a sentence each.
    pub(super) notes: Vec<String>,
}

/// What the user says that bears on the parts of the images.
pub(super) struct Said<'a> {
    /// The tables that were chosen for the labels, with `;` between them.
    pub(super) tables: Option<&'a str>,
    /// Whether the part of each image was said; empty if of none.
    pub(super) named: Vec<bool>,
}

/// The images of one list.
struct Listed<'a> {
    table: &'a LabelTable,
    images: Vec<(usize, Part)>,
    /// Whether the name of the list alone says the parts.
    by_name: bool,
}

/// Of the numbered divisions of one data set (`train1`, `test1`, ... `test10`; `fold1_test`; `fold1/test`) the number
/// that a list belongs to.
fn number(path: &str) -> Option<u32> {
    let stem = stem(path);
    let last = |name: &str| {
        let at = name.rfind(|c: char| !c.is_ascii_digit()).map_or(0, |at| {
            at + name[at..].chars().next().map_or(1, char::len_utf8)
        });
        name.get(at..)?.parse::<u32>().ok()
    };
    let only = |name: &str| {
        let mut groups = (name.split(|c: char| !c.is_ascii_digit())).filter(|g| !g.is_empty());
        match (groups.next(), groups.next()) {
            (Some(one), None) => one.parse::<u32>().ok(),
            _ => None,
        }
    };
    last(stem)
        .or_else(|| only(stem))
        .or_else(|| last(file_name(parent(path))))
}

/// Whether the name of a list or a table says that it may divide the images.
fn may_divide(path: &str) -> bool {
    let stem = stem(path);
    (is_text(path) || is_table(path))
        && (said(stem).is_some() || words(stem).iter().any(|w| w == "split" || w == "splits"))
}

fn names<'a>(tables: impl Iterator<Item = &'a LabelTable>) -> String {
    let names: Vec<&str> = tables.map(|table| file_name(&table.path)).collect();
    list(&names)
}

impl Division {
    /// What tables and lists say of the images, of which `folders` has the parts by their folders.
    pub(super) fn of(
        tables: &[&ReadTable],
        files: &Files,
        folders: &[Option<Part>],
        asked: &Said,
    ) -> Self {
        let mut found = Self {
            named: asked.named.clone(),
            parts: vec![None; files.len()],
            strange: vec![false; files.len()],
            ..Self::default()
        };
        let (mut lists, mut unused) = (Vec::new(), Vec::new());
        for (path, table) in tables {
            let table = match table {
                Ok(table) => table,
                Err(reason) => {
                    if may_divide(path) {
                        unused.push(format!("{} {reason}", file_name(path)));
                    }
                    continue;
                }
            };
            found.note_undecided(table);
            if !table.has_parts() {
                if may_divide(path) && table.undecided().is_empty() {
                    unused.push(format!("{} has no column of parts", file_name(path)));
                }
                continue;
            }
            let mut images = Vec::new();
            let mut strange: BTreeMap<&str, usize> = BTreeMap::new();
            let mut strangers = Vec::new();
            let (mut named, mut by_name) = (0, true);
            for row in 0..table.rows() {
                let (image, part) = table.row(files, row, true);
                let Match::One(image) = image else { continue };
                named += 1;
                if let Some((word, _)) = table.strange_word(row) {
                    *strange.entry(word).or_default() += 1;
                    strangers.push(image);
                    continue;
                }
                by_name &= part.is_none();
                // The user's own word is the last one.
                let is_said = asked.named.get(image) == Some(&true);
                if let Some(part) = part.or(table.hint()).filter(|_| !is_said) {
                    images.push((image, part));
                }
            }
            if named * 2 < table.rows() {
                unused.push(format!(
                    "{} names an image that is here in under half of its lines",
                    file_name(path)
                ));
            } else if !images.is_empty() {
                lists.push(Listed {
                    table,
                    images,
                    by_name,
                });
                found.note_strange(table, &strange);
                for image in strangers {
                    found.strange[image] = true;
                }
            }
        }
        found.drop_samples(&mut lists, files);
        found.choose(&mut lists);
        if let Some(chosen) = asked.tables {
            found.train_on_chosen(&mut lists, chosen, folders);
        }
        found.take(&lists);
        found.tell(&lists, folders);
        let is_test = |part: &Option<Part>| *part == Some(Part::Test);
        if !found.parts.iter().chain(folders).any(is_test) {
            let known: HashSet<usize> = (0..files.len())
                .filter(|&i| found.parts[i].is_some())
                .collect();
            (found.notes).extend(unused_lists::undecided(tables, files, &known));
        }
        if !unused.is_empty() && !found.parts.iter().chain(folders).any(is_test) {
            unused.truncate(4);
            found.notes.push(format!(
                "What by its name may say which images are for testing is not used, so all images are for training and validation: {}.",
                unused.join("; ")
            ));
        }
        found
    }

    /// Says which words of a column of parts are not understood.
    fn note_strange(&mut self, table: &LabelTable, words: &BTreeMap<&str, usize>) {
        let images: usize = words.values().sum();
        let column = (0..table.rows()).find_map(|row| Some(table.strange_word(row)?.1));
        if let Some(column) = column.filter(|_| images > 0) {
            let words: Vec<&str> = words.keys().copied().collect();
            self.notes.push(format!(
                "{} left out, since the column \u{201c}{column}\u{201d} of {} has words for {} that stand for no part: {}.",
                are(images),
                file_name(&table.path),
                if images == 1 { "it" } else { "them" },
                list(&words)
            ));
        }
    }

    /// Says of columns that divide the images by numbers that they are not used.
    fn note_undecided(&mut self, table: &LabelTable) {
        for (column, numbers) in table.undecided() {
            let name = file_name(&table.path);
            let is_fold = column.to_lowercase().contains("fold");
            let is_number = |text: &String| text.parse::<f64>().is_ok();
            self.notes.push(if !numbers.iter().all(is_number) {
                format!(
                    "The column \u{201c}{column}\u{201d} of {name} divides the images by words of which none is known to stand for testing ({}): it is not used, so images for testing may be among those to train on. Write train, validation and test into it instead.",
                    list(&numbers)
                )
            } else if is_fold {
                format!(
                    "The column \u{201c}{column}\u{201d} of {name} numbers the folds of a cross-validation ({}); it is not used.",
                    list(&numbers)
                )
            } else {
                format!(
                    "The column \u{201c}{column}\u{201d} of {name} divides the images by numbers ({}), and nothing says which one is for testing: it is not used, so images for testing may be among those to train on. Write train, validation and test into it instead.",
                    list(&numbers)
                )
            });
        }
    }

    /// Drops lists that are by their names small samples of what is to be trained on, where another list or the
    /// folders have more; what they leave out would not be trained on.
    fn drop_samples(&mut self, lists: &mut Vec<Listed>, files: &Files) {
        let trains = |listed: &Listed| listed.images.iter().all(|i| i.1 == Part::Train);
        let most = (lists.iter())
            .filter(|l| trains(l) && !unused_lists::is_sample(&l.table.path))
            .max_by_key(|l| l.images.len())
            .map(|l| (l.images.len(), file_name(&l.table.path).to_owned()));
        let have_folders = unused_lists::have_folders(files);
        let mut dropped = Vec::new();
        lists.retain(|listed| {
            let is_less = |(n, _): &(usize, String)| *n > listed.images.len();
            let others = match &most {
                Some(most) if is_less(most) => most.1.clone(),
                Some(_) => return true,
                None if have_folders || !listed.table.has_labels() => "the folders".to_owned(),
                None => return true,
            };
            let few = listed.images.len() * 2 < files.len();
            let is_sample = few && trains(listed) && unused_lists::is_sample(&listed.table.path);
            if is_sample {
                dropped.push(format!(
                    "{} names {} and is by its name a sample of a larger list; the images to train on are those of {others}. To train on the sample, leave only its images in the data set.",
                    file_name(&listed.table.path),
                    many(listed.images.len(), "image")
                ));
            }
            !is_sample
        });
        self.notes.append(&mut dropped);
    }

    /// Of numbered divisions that contradict each other, keeps the first.
    fn choose(&mut self, lists: &mut Vec<Listed>) {
        let mut groups: BTreeMap<u32, BTreeMap<usize, Part>> = BTreeMap::new();
        for listed in &*lists {
            if let Some(number) = number(&listed.table.path) {
                groups
                    .entry(number)
                    .or_default()
                    .extend(listed.images.iter().copied());
            }
        }
        let mut all = groups.iter();
        let Some((&first, own)) = all.next() else {
            return;
        };
        let contradict = all.any(|(_, other)| {
            other
                .iter()
                .any(|(image, part)| own.get(image).is_some_and(|own| own != part))
        });
        if !contradict {
            return;
        }
        let named = |used: bool| {
            let own = lists.iter().map(|listed| listed.table);
            names(own.filter(|table| number(&table.path).is_some_and(|n| (n == first) == used)))
        };
        self.notes.push(format!(
            "There are {} numbered divisions into training and test; that of number {first} is used ({}), and not {}. To use another one, leave only its lists in the data set.",
            groups.len(),
            named(true),
            named(false)
        ));
        lists.retain(|listed| number(&listed.table.path).is_none_or(|number| number == first));
    }

    /// Where the user has chosen tables that all are called like ones for validation or test (`val.csv`), and nothing
    /// names images to train on, theirs are: the choice says more than the name.
    fn train_on_chosen(&mut self, lists: &mut Vec<Listed>, chosen: &str, folders: &[Option<Part>]) {
        let is_chosen = |l: &&Listed| l.by_name && reading::names(chosen, &l.table.path);
        let tables = chosen.split(';').filter(|name| !name.trim().is_empty());
        let trains = |l: &Listed| l.images.iter().any(|i| i.1 == Part::Train);
        if lists.iter().filter(is_chosen).count() < tables.count()
            || lists.iter().any(trains)
            || folders.contains(&Some(Part::Train))
        {
            return;
        }
        self.notes.push(format!(
            "{} called as for validation or test; since nothing else names images to train on, those of the chosen table are for training.",
            match &lists.iter().filter(is_chosen).collect::<Vec<_>>()[..] {
                [one] => format!("{} is", file_name(&one.table.path)),
                several => format!("{} are", names(several.iter().map(|l| l.table))),
            }
        ));
        lists.retain(|l| !is_chosen(&l));
        self.trains_on_chosen = true;
    }

    /// Takes over what the lists say; of two parts the stricter one.
    fn take(&mut self, lists: &[Listed]) {
        let mut twice = 0;
        for listed in lists {
            for &(image, part) in &listed.images {
                self.names_training |= part == Part::Train;
                let known = self.parts[image];
                self.parts[image] = Some(known.map_or(part, |known| known.max(part)));
            }
        }
        // `trainval` names the images of `train` and of `val`, which is no contradiction.
        let mut counted = vec![false; self.parts.len()];
        for listed in lists.iter().filter(|listed| !listed.table.is_trainval()) {
            for &(image, part) in &listed.images {
                if self.parts[image] != Some(part) && !counted[image] {
                    counted[image] = true;
                    twice += 1;
                }
            }
        }
        if twice > 0 {
            self.notes.push(format!(
                "{} in the lists of two parts ({}); what one of them calls a test or validation image is not trained on.",
                are(twice),
                names(lists.iter().map(|listed| listed.table))
            ));
        }
    }

    /// Says where the parts come from, and where folders contradict them.
    fn tell(&mut self, lists: &[Listed], folders: &[Option<Part>]) {
        let mut new = [0; 4];
        let (mut stricter, mut looser) = (0, 0);
        for (said, folder) in self.parts.iter().zip(folders) {
            match (said, folder) {
                (Some(said), None) => new[*said as usize] += 1,
                (Some(said), Some(folder)) if said > folder => stricter += 1,
                (Some(said), Some(folder)) if said < folder => looser += 1,
                _ => {}
            }
        }
        self.read = lists
            .iter()
            .flat_map(|l| std::iter::once(&l.table.path).chain(&l.table.with))
            .cloned()
            .collect();
        let title = names(lists.iter().map(|listed| listed.table));
        let divides = [Part::Validation, Part::Test, Part::Unlabelled]
            .iter()
            .any(|&part| new[part as usize] > 0);
        if divides {
            let counts: Vec<String> = [Part::Train, Part::Validation, Part::Test, Part::Unlabelled]
                .iter()
                .filter(|&&part| new[part as usize] > 0)
                .map(|&part| format!("{} for {}", new[part as usize], purpose(part)))
                .collect();
            self.notes.push(format!(
                "The parts of the images are those of {title}: {}.",
                counts.join(", ")
            ));
        }
        if stricter > 0 {
            self.notes.push(format!(
                "{} in a folder for one part and by {title} for a stricter one, which holds: no image is trained on that either calls a test or validation image.",
                are(stricter)
            ));
        }
        if looser > 0 {
            self.notes.push(format!(
                "{} by {title} for training and {} in a folder for another part, which holds.",
                are(looser),
                if looser == 1 { "lies" } else { "lie" }
            ));
        }
    }

    /// Puts the images of a reading into their parts.
    pub(super) fn apply(&self, found: &mut Labelling, folders: &[Option<Part>]) {
        let own = std::mem::take(&mut found.parts);
        let own_named = std::mem::take(&mut found.named);
        let (folders, named) = match own.is_empty() {
            true => (folders, &self.named),
            false => (own.as_slice(), &own_named),
        };
        let mut outside = 0;
        for (image, spot) in found.spots.iter_mut().enumerate() {
            let Spot::In(part, class) = spot else {
                continue;
            };
            let said = self.parts.get(image).copied().flatten();
            let folder = folders.get(image).copied().flatten();
            match (said, folder) {
                // An image without a class is for no part, whatever lists say.
                _ if class.is_none() => {}
                (_, Some(folder)) if named.get(image) == Some(&true) => *part = folder,
                (None | Some(Part::Train), _) if self.strange.get(image) == Some(&true) => {
                    *spot = Spot::Out(STRANGE.into(), false);
                }
                (Some(said), None) => *part = said,
                (Some(said), Some(folder)) => *part = said.max(folder),
                (None, None) if self.trains_on_chosen => *part = Part::Train,
                (None, None) if self.names_training && *part == Part::Train => {
                    *spot = Spot::Out(UNLISTED.into(), false);
                    outside += 1;
                }
                (None, _) => {}
            }
        }
        found.notes.extend(self.notes.iter().cloned());
        if outside > 0 {
            found.notes.push(format!(
                "{} in none of these lists and {} left out.",
                are(outside),
                if outside == 1 { "is" } else { "are" }
            ));
            found.drop_unlisted();
        }
    }

    /// The part that a list says of an image.
    pub(super) fn part(&self, image: usize) -> Option<Part> {
        self.parts.get(image).copied().flatten()
    }
}

fn are(images: usize) -> String {
    format!(
        "{} {}",
        many(images, "image"),
        if images == 1 { "is" } else { "are" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_numbered_divisions() {
        for (path, expected) in [
            ("labels/train1.txt", Some(1)),
            ("test10.txt", Some(10)),
            ("train.txt", None),
            ("7.txt", Some(7)),
            ("trainé2.txt", Some(2)),
            ("fold3_test.txt", Some(3)),
            ("split_2/test.txt", Some(2)),
        ] {
            assert_eq!(number(path), expected, "{path}");
        }
    }
}
