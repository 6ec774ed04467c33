//! Tables beside class folders: they may say something else than the folders, or label what lies in none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::folders::{UNSORTED, Way};
use super::from_tables::table_way;
use super::id_folders;
use super::labelling::{Labelling, Spot, list, many, quoted};
use super::layout::file_name;
use super::reading::{Reader, Reading, without_classes};
use super::table::{FolderLabels, LabelTable, Parsed, Rows};
use super::unused_lists;
use crate::protocol::Part;

impl Reader<'_> {
    /// Class folders with tables beside them: if one says something else of many images, the user chooses.
    pub(super) fn against_tables(self, mut way: Way) -> Reading {
        let (mut others, mut notes) = (Vec::new(), Vec::new());
        // Of patients and the like, any table that labels their images may have the classes.
        let are_ids = id_folders::look_like_ids(&way.labelling.names);
        for (path, table) in self.found {
            if let Ok(table) = table
                && !table.choices().is_empty()
            {
                if are_ids {
                    let base = without_classes(&way.labelling);
                    let ways = self.column_ways(table, &[], &base).into_iter();
                    others.extend(ways.filter(|other| other.labelling.filled() > 1));
                    continue;
                }
                notes.push(format!(
                    "Several columns of {} may be labels ({}); those of the folders are used. --labels {}, or the table added again in the page, chooses the table.",
                    file_name(path),
                    list(&table.choices()),
                    quoted(path)
                ));
            }
            if let Err(reason) = table
                && reason.contains("damaged")
            {
                notes.push(format!("{} {reason}; it is not used.", file_name(path)));
            }
            let Some((table, rows)) = self.rows_of(table) else {
                continue;
            };
            let ambiguous = table.ambiguous(self.files);
            if ambiguous > 0 && rows.labelled() == 0 {
                notes.push(format!(
                    "{} names in {ambiguous} of {} rows files of which there are several, in different folders: it is not used. Write the folder before each name.",
                    file_name(path),
                    table.rows()
                ));
            }
            if rows.divides_like(&way.labelling) {
                continue;
            }
            if !table.is_sure() && !are_ids {
                if rows.labelled() * 2 >= self.paths.len() {
                    notes.push(format!(
                        "The column \u{201c}{}\u{201d} of {} divides the images in another way than the folders; those of the folders are used.",
                        table.used().label.unwrap_or_default(),
                        file_name(path)
                    ));
                }
                continue;
            }
            if rows.labelled() * 2 < self.paths.len() && !are_ids {
                notes.push(format!(
                    "The labels in {} divide the images in another way than the folders; those of the folders are used.",
                    file_name(path)
                ));
                continue;
            }
            let base = without_classes(&way.labelling);
            let other = table_way(&[table], rows.labelling(&base, &[table]));
            if other.labelling.filled() > 1 {
                others.push(other);
            }
        }
        notes.extend(id_folders::note(&way.labelling.names));
        way.labelling.notes.append(&mut notes);
        self.label_parts_without_classes(&mut way.labelling);
        if others.is_empty() {
            let named = self.table_of_folders(&way.labelling.names);
            // Other folders may be classes of which a table tells more, unless it says that it has the labels.
            let Some(table) = named.filter(|table| are_ids || table.is_sure) else {
                return self.settle(way);
            };
            let question = format!(
                "The folders ({}) {}: the column \u{201c}{}\u{201d} of {} names them, with \u{201c}{}\u{201d} beside it, which may be the class. Labels are read for each image: give that table a row and a file name for each, or put each class's images in a folder of its own; or choose that each folder is a class.",
                way.labelling.listed(),
                if are_ids {
                    "are called like patients or sessions"
                } else {
                    "may each be of one patient, person or place"
                },
                table.id,
                file_name(&table.path),
                table.label,
            );
            let flags = "--class-level 1".to_owned();
            return self.ask(vec![Way { flags, ..way }], question);
        }
        let question = format!(
            "The folders give the classes {}, and {} others: {}. Choose one.",
            way.labelling.listed(),
            if others.len() == 1 {
                "a table gives"
            } else {
                "tables give"
            },
            others
                .iter()
                .map(|o| o.text.clone())
                .collect::<Vec<_>>()
                .join("; ")
        );
        let flags = if way.flags.is_empty() {
            "--class-level 1".to_owned()
        } else {
            way.flags.clone()
        };
        let mut ways = vec![Way { flags, ..way }];
        ways.append(&mut others);
        self.ask(ways, question)
    }

    /// The table that names the folders rather than the images.
    fn table_of_folders(&self, folders: &[String]) -> Option<FolderLabels> {
        let of_images = |parsed: &&Parsed| parsed.is_unreadable_or_names_images(self.files);
        let mut found = self.parsed.iter().filter(|parsed| !of_images(parsed));
        found.find_map(|parsed| parsed.labels_of(folders))
    }

    /// What a table says of the images, if it is clear where its labels stand.
    fn rows_of<'t>(
        &self,
        table: &'t std::result::Result<LabelTable, String>,
    ) -> Option<(&'t LabelTable, Rows)> {
        let is_clear = |table: &&LabelTable| table.has_labels() && table.choices().is_empty();
        let table = table.as_ref().ok().filter(is_clear)?;
        let mut rows = Rows::new(self.paths.len());
        table.apply(self.files, &mut rows).ok()?;
        Some((table, rows))
    }

    /// Labels images of a part that has no class folders (`Test/00000.png` beside `Train/0/*.png`) by the tables that
    /// name them (`Test.csv`). A label there is the class of the images that have it and lie in a class folder, else
    /// the class of that name. So are images for training, where no class folder has any (`train/00000.png` beside
    /// `test/cat/*.png`); their labels may be further classes.
    pub(super) fn label_parts_without_classes(&self, found: &mut Labelling) {
        let lacks_training = found.trained() == 0;
        let part_of = |image: usize| {
            let part = self.parts[image].or_else(|| self.division.part(image));
            part.filter(|part| match part {
                Part::Test | Part::Validation => true,
                Part::Train => lacks_training,
                Part::Unlabelled => false,
            })
        };
        let lacks: Vec<usize> = (0..found.spots.len())
            .filter(|&i| matches!(found.spots[i], Spot::In(_, None)) && part_of(i).is_some())
            .collect();
        if lacks.is_empty() {
            return;
        }
        let tables: Vec<_> = self
            .found
            .iter()
            .filter_map(|(_, table)| self.rows_of(table))
            .collect();
        let mut classes = ClassOfLabel::of(found);
        for (_, rows) in tables.iter().filter(|(table, _)| table.is_sure()) {
            classes.learn(rows, found);
        }
        // None where two tables differ.
        let mut labelled: BTreeMap<usize, Option<u32>> = BTreeMap::new();
        let (mut by, mut strange, mut strangers) = (Vec::new(), BTreeSet::new(), 0);
        for (table, rows) in &tables {
            let mut own = Vec::new();
            let mut unknown: BTreeMap<&str, usize> = BTreeMap::new();
            for &image in &lacks {
                let Some(label) = rows.label(image) else {
                    continue;
                };
                match classes.class(label) {
                    Some(class) => own.push((image, class)),
                    None => *unknown.entry(label).or_default() += 1,
                }
            }
            // Without a header, labels are known by being the folders' names, all of them.
            let several = own
                .iter()
                .any(|(_, class)| Some(*class) != own.first().map(|o| o.1));
            if !table.is_sure() && (!unknown.is_empty() || !several) {
                continue;
            }
            // The folders for testing need not have all classes; some they must, or the labels are of another kind.
            if lacks_training && several {
                own.extend(self.further_classes(&lacks, rows, found, &mut unknown));
            }
            strangers += unknown.values().sum::<usize>();
            // One label for all: made up until the right ones are published.
            if rows.is_constant() && own.len() > 2 && found.filled() > 1 {
                found.notes.push(unused_lists::stands_in(&table.path));
                continue;
            }
            // Numbers that begin at another one than the folders' mean other classes.
            let shifted = classes.learned.is_empty()
                && unknown.keys().any(|label| label.parse::<u64>().is_ok());
            strange.extend(unknown.into_keys());
            if shifted {
                strangers += own.len();
                continue;
            }
            if !own.is_empty() {
                by.push(file_name(&table.path));
            }
            for (image, class) in own {
                let known = labelled.entry(image).or_insert(Some(class));
                *known = known.filter(|known| *known == class);
            }
        }
        if lacks_training && !labelled.is_empty() {
            found.notes.retain(|note| !note.contains(UNSORTED));
        }
        let mut counts = [0, 0];
        for (image, class) in labelled {
            counts[usize::from(class.is_none())] += 1;
            if let (Some(part), Some(class)) = (part_of(image), class) {
                found.spots[image] = Spot::In(part, Some(class));
            }
        }
        let [one, two] = counts;
        let own_label = |n| {
            if n == 1 {
                "has its label"
            } else {
                "have their labels"
            }
        };
        let stay = |n| if n == 1 { "stays" } else { "stay" };
        let by = list(&by);
        if one > 0 {
            let images = many(one, "image");
            let text = format!("{images} in no class folder {} from {by}.", own_label(one));
            found.notes.push(text);
        }
        if two > 0 {
            let images = many(two, "image");
            let text = format!(
                "{images} in no class folder {} without a class, since {by} give different ones.",
                stay(two)
            );
            found.notes.push(text);
        }
        if strangers > 0 {
            let strange: Vec<&str> = strange.into_iter().collect();
            found.notes.push(format!(
                "{} in no class folder {} without a class, since a table gives labels that no class folder has: {}.",
                many(strangers, "image"),
                stay(strangers),
                list(&strange),
            ));
        }
    }

    /// Classes of images for training whose labels no folder is called by; they are known from then on.
    fn further_classes(
        &self,
        lacks: &[usize],
        rows: &Rows,
        found: &mut Labelling,
        unknown: &mut BTreeMap<&str, usize>,
    ) -> Vec<(usize, u32)> {
        let trains = |image: &&usize| self.parts[**image] == Some(Part::Train);
        let mut own = Vec::new();
        for &image in lacks.iter().filter(trains) {
            if let Some(label) = rows
                .label(image)
                .filter(|label| unknown.contains_key(label))
            {
                own.push((image, found.class(label)));
            }
        }
        for (image, _) in &own {
            if let Some(label) = rows.label(*image) {
                unknown.remove(label);
            }
        }
        own
    }
}

/// Which class the labels of tables stand for, where folders name the classes.
struct ClassOfLabel {
    /// By the images that have a label and lie in a class folder; none where two folders have one label.
    learned: HashMap<String, Option<u32>>,
    /// By the name of the folder, and by its number.
    named: HashMap<String, Option<u32>>,
    numbered: HashMap<u64, Option<u32>>,
}

impl ClassOfLabel {
    fn of(folders: &Labelling) -> Self {
        let mut found = Self {
            learned: HashMap::new(),
            named: HashMap::new(),
            numbered: HashMap::new(),
        };
        for (class, name) in folders.names.iter().enumerate() {
            found.named.insert(name.clone(), Some(class as u32));
            if let Ok(number) = name.parse() {
                let once = found.numbered.entry(number).or_insert(Some(class as u32));
                *once = once.filter(|&once| once == class as u32);
            }
        }
        found
    }

    fn learn(&mut self, rows: &Rows, folders: &Labelling) {
        for (image, spot) in folders.spots.iter().enumerate() {
            if let (Spot::In(_, Some(class)), Some(label)) = (spot, rows.label(image)) {
                match self.learned.get_mut(label) {
                    Some(known) => *known = known.filter(|known| known == class),
                    None => drop(self.learned.insert(label.to_owned(), Some(*class))),
                }
            }
        }
    }

    fn class(&self, label: &str) -> Option<u32> {
        if let Some(class) = self.learned.get(label) {
            return *class;
        }
        if let Some(class) = self.named.get(label) {
            return *class;
        }
        let number = label.parse().ok()?;
        self.numbered.get(&number).copied().flatten()
    }
}
