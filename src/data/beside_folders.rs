//! Tables beside class folders: they may say something else than the folders, or label what lies in none.

use std::collections::{BTreeSet, HashMap};

use super::folders::Way;
use super::from_tables::table_way;
use super::labelling::{Labelling, Spot, clean, list, many};
use super::layout::file_name;
use super::reading::{Reader, Reading, without_classes};
use super::table::{LabelTable, Rows};
use crate::protocol::Part;

impl Reader<'_> {
    /// Class folders with tables beside them: if one says something else of many images, the user chooses.
    pub(super) fn against_tables(self, mut way: Way) -> Reading {
        let (mut others, mut notes) = (Vec::new(), Vec::new());
        for (path, table) in self.found {
            let Some((table, rows)) = self.sure_rows(table) else {
                continue;
            };
            if rows.divides_like(&way.labelling) {
                continue;
            }
            if rows.labelled() * 2 < self.paths.len() {
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
        way.labelling.notes.append(&mut notes);
        self.label_parts_without_classes(&mut way.labelling);
        if others.is_empty() {
            return self.settle(way);
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

    /// What a table says whose header names the labels.
    fn sure_rows<'t>(
        &self,
        table: &'t std::result::Result<LabelTable, String>,
    ) -> Option<(&'t LabelTable, Rows)> {
        let table = table.as_ref().ok().filter(|table| table.is_sure())?;
        let mut rows = Rows::new(self.paths.len());
        table.apply(self.files, &mut rows).ok()?;
        Some((table, rows))
    }

    /// Labels images of a part that has no class folders (`Test/00000.png` beside `Train/0/*.png`) by the tables that
    /// name them (`Test.csv`). A label there is the class of the images that have it and lie in a class folder, else
    /// the class of that name.
    pub(super) fn label_parts_without_classes(&self, found: &mut Labelling) {
        let part_of = |image: usize| {
            let part = self.parts[image].or_else(|| self.division.part(image));
            part.filter(|part| matches!(part, Part::Test | Part::Validation))
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
            .filter_map(|(_, table)| self.sure_rows(table))
            .collect();
        // None where two classes have one label.
        let mut learned: HashMap<&str, Option<u32>> = HashMap::new();
        for (_, rows) in &tables {
            for (image, spot) in found.spots.iter().enumerate() {
                if let (Spot::In(_, Some(class)), Some(label)) = (spot, rows.label(image)) {
                    let known = learned.entry(label).or_insert(Some(*class));
                    *known = known.filter(|known| known == class);
                }
            }
        }
        let number = |name: &str| name.parse::<u64>().ok();
        let by_name = |label: &str| {
            let same = |name: &String| {
                *name == clean(label) || (number(name).is_some() && number(name) == number(label))
            };
            let mut classes = (0..found.names.len()).filter(|&class| same(&found.names[class]));
            match (classes.next(), classes.next()) {
                (Some(one), None) => Some(one as u32),
                _ => None,
            }
        };
        let (mut labelled, mut by) = (Vec::new(), Vec::new());
        let (mut strange, mut strangers) = (BTreeSet::new(), 0);
        for (table, rows) in &tables {
            let before = labelled.len();
            for &image in &lacks {
                let Some(label) = rows.label(image) else {
                    continue;
                };
                let class = match learned.get(label) {
                    Some(class) => *class,
                    None => by_name(label),
                };
                match class {
                    Some(class) => labelled.push((image, class)),
                    None => {
                        strange.insert(label);
                        strangers += 1;
                    }
                }
            }
            if labelled.len() > before {
                by.push(file_name(&table.path));
            }
        }
        let mut notes = Vec::new();
        if !labelled.is_empty() {
            notes.push(format!(
                "{} in no class folder {} from {}.",
                many(labelled.len(), "image"),
                if labelled.len() == 1 {
                    "has its label"
                } else {
                    "have their labels"
                },
                list(&by)
            ));
        }
        if strangers > 0 {
            let strange: Vec<&str> = strange.into_iter().collect();
            notes.push(format!(
                "{} in no class folder {} of a table that no class folder has ({}) and {} without a class.",
                many(strangers, "image"),
                if strangers == 1 { "has a label" } else { "have labels" },
                list(&strange),
                if strangers == 1 { "stays" } else { "stay" },
            ));
        }
        for (image, class) in labelled {
            if let Some(part) = part_of(image) {
                found.spots[image] = Spot::In(part, Some(class));
            }
        }
        found.notes.append(&mut notes);
    }
}
