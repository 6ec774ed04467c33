//! Which of the ways to read the labels holds: folders, a table, file names. Where two are left, the user is
//! asked; never is one taken in silence.

use std::collections::HashSet;

use super::class_names::{names_say_parts, similar_note};
use super::dataset::Candidate;
use super::division::{Division, Said};
use super::folders::{Asked, Folders, Found, Way};
use super::labelling::{Labelling, Spot, list};
use super::masks;
use super::others::Others;
use super::parts;
use super::table::{self, Files, LabelTable, Parsed};
use super::unused_lists;
use crate::error::{Error, Result};
use crate::protocol::{Columns, Labels, Part, TableSummary};

/// Ends a question of which not every answer is offered.
pub(super) const NOT_OFFERED: &str =
    " A reading that leaves fewer than two classes with images to train on is not offered.";

/// A reading that was settled on, or the question.
pub(super) struct Reading {
    /// What each image is; of the first reading if the user must choose.
    pub(super) labelling: Labelling,
    /// The reading in use; [`Labels::Auto`] if the user must choose, or nothing was found.
    pub(super) labels: Labels,
    /// Ways to choose from.
    pub(super) readings: Vec<Candidate>,
    /// What the user is asked.
    pub(super) question: Option<String>,
    /// The table in use.
    pub(super) table: Option<TableSummary>,
    /// Folders of masks, with the number of their images.
    pub(super) masks: Vec<(String, usize)>,
    /// What was looked at for labels and gave none, a sentence each.
    pub(super) tried: Vec<String>,
    /// Paths of the tables and lists that were used.
    pub(super) read: Vec<String>,
    /// Those of them that say parts.
    pub(super) lists: Vec<String>,
    /// Tables that give nothing, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// A file among those of the data set that may be a table.
pub(super) struct TableFile {
    pub(super) path: String,
    /// Whether its name says nothing, so that it counts only if it names images.
    pub(super) is_doubtful: bool,
    pub(super) bytes: std::result::Result<Vec<u8>, String>,
}

/// The path of a table or list, and what it holds or why it gives nothing.
pub(super) type ReadTable = (String, std::result::Result<LabelTable, String>);

/// Whether the user's names of tables, with `;` between them, are those of a path or of its end.
pub(super) fn names(tables: &str, path: &str) -> bool {
    tables.split(';').map(str::trim).any(|name| {
        let rest = path.strip_suffix(name).filter(|_| !name.is_empty());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
    })
}

/// The tables whose parts count: those that the user named, if they say parts, else all.
fn counting<'a>(asked: &Labels, found: &'a [ReadTable]) -> Vec<&'a ReadTable> {
    let Labels::Table { file, .. } = asked else {
        return found.iter().collect();
    };
    let named: Vec<&ReadTable> = found.iter().filter(|(path, _)| names(file, path)).collect();
    let say = |(_, table): &&ReadTable| table.as_ref().is_ok_and(LabelTable::has_parts);
    if named.iter().any(say) {
        named
    } else {
        found.iter().collect()
    }
}

/// Reads the labels. Where the user has chosen one of several readings, all of them are given again, so that another
/// one can be chosen.
///
/// # Errors
/// [`Error::Dataset`] if what the user asked for is not there: a table, a column, a pattern.
pub(super) fn read(
    asked: &Labels,
    paths: &[String],
    numbers: &[usize],
    tables: &[TableFile],
    others: &Others,
) -> Result<Reading> {
    let masks = masks::beside_photos(paths);
    if masks.contains(&true) {
        let photos = |image: &usize| !masks[*image];
        let kept: Vec<usize> = (0..paths.len()).filter(photos).collect();
        let own: Vec<String> = kept.iter().map(|&i| paths[i].clone()).collect();
        let own_numbers: Vec<usize> = kept.iter().map(|&i| numbers[i]).collect();
        let mut reading = read_photos(asked, &own, &own_numbers, tables, others)?;
        masks::put_back(&mut reading.labelling, &masks);
        return Ok(reading);
    }
    read_photos(asked, paths, numbers, tables, others)
}

/// The same where no image is a mask of another one by its name.
fn read_photos(
    asked: &Labels,
    paths: &[String],
    numbers: &[usize],
    tables: &[TableFile],
    others: &Others,
) -> Result<Reading> {
    let mut reading = read_as(asked, paths, numbers, tables, others)?;
    if *asked != Labels::Auto && reading.question.is_none() && reading.readings.len() <= 1 {
        let all = read_as(&Labels::Auto, paths, numbers, tables, others)?.readings;
        if all
            .iter()
            .any(|other| other.reading.labels == reading.labels)
        {
            reading.readings = all;
        }
    }
    Ok(reading)
}

fn read_as(
    asked: &Labels,
    paths: &[String],
    numbers: &[usize],
    tables: &[TableFile],
    others: &Others,
) -> Result<Reading> {
    let (folder_asked, merge) = match asked {
        Labels::Folders {
            level,
            merge_similar,
            parts,
        } => (
            Asked {
                level: level.map(|l| l.max(1)),
                parts: parts.clone(),
            },
            *merge_similar,
        ),
        Labels::Similar { merge } => (Asked::default(), Some(*merge)),
        _ => (Asked::default(), None),
    };
    check_asked(&folder_asked, paths)?;
    let folders = Folders::of(paths, folder_asked, others);
    folders.check_level()?;
    let parts = folders.parts_of_images();
    let left_out = folders.left_out();
    let named = folders.named();
    let masks = folders.masks();
    // A table called `test.csv` speaks of the images of its part alone, unless the user says another one.
    let mut own = parts.clone();
    for (part, _) in own.iter_mut().zip(&named).filter(|(_, named)| **named) {
        *part = None;
    }
    let files = if tables.is_empty() {
        Files::new(&[], &[], &[])
    } else {
        Files::new(paths, &own, &left_out)
    };
    let parsed = table::parse_all(tables, &files);
    let mut found: Vec<ReadTable> = parsed
        .iter()
        .filter(|table| !table.is_part)
        .map(|one| {
            let columns = match asked {
                Labels::Table { file, columns } if names(file, &one.path) => one.own(columns),
                _ => Columns::default(),
            };
            let table = LabelTable::read(one, &parsed, &files, &columns);
            (one.path.clone(), table)
        })
        .collect();
    let is_asked = |path: &str| matches!(asked, Labels::Table { file, .. } if names(file, path));
    let bad = unused_lists::take_bad(&mut found, &files, is_asked);
    let said = Said {
        tables: match asked {
            Labels::Table { file, .. } => Some(file),
            _ => None,
        },
        named,
    };
    let mut division = Division::of(&counting(asked, &found), &files, &parts, &said);
    division.notes.extend(bad);
    let reader = Reader {
        paths,
        numbers,
        parts: &parts,
        files: &files,
        parsed: &parsed,
        found: &found,
        division: &division,
        merge,
        masks,
    };
    let reading = match asked {
        Labels::Auto | Labels::Similar { .. } => reader.auto(folders.read()),
        Labels::Folders { .. } => reader.by_folders(folders.read(), asked),
        Labels::Table { file, columns } => reader.by_table(&bare(folders.read()), file, columns),
        Labels::FileNames { pattern } => reader.by_pattern(&bare(folders.read()), pattern),
    };
    reading.map(|mut reading| {
        reading.read.clone_from(&division.read);
        reading.lists.clone_from(&division.read);
        let reason =
            |(path, table): &ReadTable| Some((path.clone(), table.as_ref().err()?.clone()));
        reading.refused = found.iter().filter_map(reason).collect();
        if let Labels::Table { file, .. } = &reading.labels {
            let used = found
                .iter()
                .filter(|(path, _)| file.split(';').any(|f| f == path));
            let with = used.filter_map(|(_, table)| table.as_ref().ok());
            reading
                .read
                .extend(with.flat_map(|table| table.with.iter().cloned()));
            let mut seen = HashSet::new();
            reading.read.retain(|path| seen.insert(path.clone()));
        }
        reading
    })
}

/// Whether the folders that the user speaks of are there.
///
/// # Errors
/// [`Error::Dataset`] naming the level or the folder that is not.
fn check_asked(asked: &Asked, paths: &[String]) -> Result<()> {
    let deepest = paths.iter().map(|path| path.matches('/').count()).max();
    if let (Some(level), Some(deepest)) = (asked.level, deepest)
        && level > deepest.max(1)
    {
        return Err(Error::Dataset(format!(
            "there is no folder at level {level}: the images lie at most {deepest} folders deep"
        )));
    }
    for (name, _) in &asked.parts {
        let is_there = |path: &String| {
            let mut folders: Vec<&str> = path.split('/').collect();
            folders.pop();
            let name = name.to_lowercase();
            folders.iter().any(|folder| folder.to_lowercase() == name)
        };
        if !paths.iter().any(is_there) {
            return Err(Error::Dataset(format!("there is no folder called {name}")));
        }
    }
    Ok(())
}

/// What the folders say without classes: parts and what is left out.
fn bare(found: Found) -> Labelling {
    match found {
        Found::None { labelling, .. } => labelling,
        Found::Classes(way) => without_classes(&way.labelling),
        Found::Several(ways, _) => ways
            .first()
            .map(|way| without_classes(&way.labelling))
            .unwrap_or_default(),
    }
}

pub(super) fn without_classes(labelling: &Labelling) -> Labelling {
    let spot = |spot: &Spot| match spot {
        Spot::In(part, _) => Spot::In(*part, None),
        Spot::Out(_, false) => Spot::In(Part::Train, None),
        other => other.clone(),
    };
    Labelling {
        spots: labelling.spots.iter().map(spot).collect(),
        ..Labelling::default()
    }
}

pub(super) struct Reader<'a> {
    pub(super) paths: &'a [String],
    /// Their numbers in the source.
    pub(super) numbers: &'a [usize],
    /// The parts that their folders say.
    pub(super) parts: &'a [Option<Part>],
    pub(super) files: &'a Files<'a>,
    /// Tables and lists as they stand in their files.
    pub(super) parsed: &'a [Parsed],
    /// The same with their columns found.
    pub(super) found: &'a [ReadTable],
    /// The parts that tables and lists say.
    pub(super) division: &'a Division,
    merge: Option<bool>,
    masks: Vec<(String, usize)>,
}

impl Reader<'_> {
    pub(super) fn reading(self, mut labelling: Labelling, labels: Labels) -> Reading {
        self.division.apply(&mut labelling, self.parts);
        Reading {
            labelling,
            labels,
            readings: Vec::new(),
            question: None,
            table: None,
            masks: self.masks,
            tried: Vec::new(),
            read: Vec::new(),
            lists: Vec::new(),
            refused: Vec::new(),
        }
    }

    pub(super) fn candidate(&self, way: &Way) -> Candidate {
        let mut labelling = way.labelling.clone();
        self.division.apply(&mut labelling, self.parts);
        labelling.candidate(
            way.labels.clone(),
            way.text.clone(),
            way.flags.clone(),
            self.numbers,
        )
    }

    /// Readings that a model can be trained by: two classes at least have images to train on. All of them, if none is
    /// such; and whether any was left out.
    pub(super) fn trainable(&self, ways: Vec<Way>) -> (Vec<Way>, bool) {
        let can_train = |way: &Way| {
            let mut labelling = way.labelling.clone();
            self.division.apply(&mut labelling, self.parts);
            labelling.trained() > 1
        };
        let (some, others): (Vec<Way>, Vec<Way>) = ways.into_iter().partition(can_train);
        if some.is_empty() {
            (others, false)
        } else {
            (some, !others.is_empty())
        }
    }

    pub(super) fn ask(self, ways: Vec<Way>, mut question: String) -> Reading {
        let (ways, fewer) = self.trainable(ways);
        if fewer {
            question.push_str(NOT_OFFERED);
        }
        let readings = ways.iter().map(|way| self.candidate(way)).collect();
        let first = ways.into_iter().next();
        let labelling = first.map(|way| way.labelling).unwrap_or_default();
        Reading {
            readings,
            question: Some(question),
            ..self.reading(labelling, Labels::Auto)
        }
    }

    fn by_folders(self, found: Found, asked: &Labels) -> Result<Reading> {
        // With parts alone, said by the user, the labels are elsewhere.
        let has_none = match &found {
            Found::None { .. } => true,
            Found::Classes(way) => way.labelling.names.len() < 2,
            Found::Several(..) => false,
        };
        if let (true, Labels::Folders { level: None, .. }) = (has_none, asked) {
            let mut reading = self.auto(found)?;
            if reading.question.is_none() && !matches!(reading.labels, Labels::Auto) {
                reading.labels = asked.clone();
            }
            return Ok(reading);
        }
        Ok(match found {
            Found::Classes(way) => {
                let mut way = self.without_parts(*way);
                self.label_parts_without_classes(&mut way.labelling);
                self.settle(way)
            }
            Found::Several(ways, question) => self.ask(ways, question),
            Found::None {
                labelling,
                single,
                doubtful,
            } => match (single, doubtful) {
                (Some(way), _) => self.settle(*way),
                (None, Some((way, question))) => self.ask(vec![*way], question),
                (None, None) => self.reading(labelling, Labels::Auto),
            },
        })
    }

    /// Makes names that are nearly the same one class if the user wants that, or says that they are several.
    pub(super) fn merge_or_note(&self, labelling: &mut Labelling) {
        if self.merge == Some(true) {
            labelling.merge(&labelling.similar());
        }
        let note = similar_note(labelling).filter(|_| self.merge.is_none());
        labelling
            .notes
            .extend(note.map(|note| format!("{note} --merge-similar yes makes them one.")));
    }

    /// A reading of the folders, once names that are nearly the same are one or are known to be two.
    pub(super) fn settle(self, mut way: Way) -> Reading {
        let groups = way.labelling.similar();
        if groups.is_empty() {
            return self.reading(way.labelling, way.labels);
        }
        let with = |labels: &Labels, merge: bool| match labels.clone() {
            Labels::Folders { level, parts, .. } => Labels::Folders {
                level,
                merge_similar: Some(merge),
                parts,
            },
            other => other,
        };
        let pairs: Vec<String> = groups
            .iter()
            .map(|group| {
                let names: Vec<String> = group
                    .iter()
                    .map(|&n| format!("\u{201c}{}\u{201d}", way.labelling.names[n as usize]))
                    .collect();
                names.join(" and ")
            })
            .collect();
        match self.merge {
            Some(true) => {
                way.labelling.merge(&groups);
                let labels = with(&way.labels, true);
                self.reading(way.labelling, labels)
            }
            Some(false) => {
                let labels = with(&way.labels, false);
                self.reading(way.labelling, labels)
            }
            None => {
                let variant = |merge: bool| {
                    let mut labelling = way.labelling.clone();
                    if merge {
                        labelling.merge(&groups);
                    }
                    let flags = format!(
                        "{} --merge-similar {}",
                        way.flags,
                        if merge { "yes" } else { "no" }
                    );
                    Way {
                        labels: with(&way.labels, merge),
                        text: format!(
                            "{}: {}",
                            if merge {
                                "names that are nearly the same are one class"
                            } else {
                                "every spelling is a class of its own"
                            },
                            labelling.listed()
                        ),
                        flags: flags.trim().to_owned(),
                        labelling,
                    }
                };
                let ways = vec![variant(true), variant(false)];
                let question = format!(
                    "{} names of classes that differ in case, blanks, hyphens or a word such as Copy alone. Is each such pair one class, or two? Choose one.",
                    match &pairs[..] {
                        [pair] => format!("{pair} are"),
                        _ => format!("{}: these are", list(&pairs)),
                    }
                );
                self.ask(ways, question)
            }
        }
    }

    /// Class folders that repeat the part that they lie in, `train/train_cats` and `test/test_cats`, by the rest of
    /// their names. All do so, or none is changed.
    fn without_parts(&self, mut way: Way) -> Way {
        let names = &way.labelling.names;
        let said: Vec<Option<Part>> = names
            .iter()
            .map(|name| parts::said(name).map(|s| s.part))
            .collect();
        let repeats = |(image, spot): (usize, &Spot)| match spot {
            Spot::In(_, Some(class)) => {
                let said = said[*class as usize];
                said.is_some() && said == self.parts[image]
            }
            _ => true,
        };
        let rest: Vec<String> = names.iter().map(|name| parts::residue(name)).collect();
        let spots = &way.labelling.spots;
        if rest.iter().any(String::is_empty) || !spots.iter().enumerate().all(repeats) {
            return way;
        }
        let mut found = Labelling {
            notes: std::mem::take(&mut way.labelling.notes),
            ..Labelling::default()
        };
        let spot = |spot: &Spot| match spot {
            Spot::In(part, Some(class)) => {
                Spot::In(*part, Some(found.class(&rest[*class as usize])))
            }
            other => other.clone(),
        };
        found.spots = spots.iter().map(spot).collect::<Vec<_>>();
        found.notes.push(format!(
            "The class folders repeat the part that they lie in ({}); the rest of their names is the class.",
            way.labelling.listed()
        ));
        way.labelling = found;
        way
    }

    fn auto(self, found: Found) -> Result<Reading> {
        let found = match found {
            Found::Classes(way) => Found::Classes(Box::new(self.without_parts(*way))),
            other => other,
        };
        let in_parts = self.parts.iter().any(Option::is_some);
        let (labelling, single, doubtful) = match found {
            Found::Classes(way) if names_say_parts(&way.labelling.names, in_parts) => {
                let question = format!(
                    "The names of the folders say a part and a class at once ({}). Put them into folders for training and \
                     test, or choose that each is a class of its own.",
                    way.labelling.listed()
                );
                let flags = "--class-level 1".to_owned();
                return Ok(self.ask(vec![Way { flags, ..*way }], question));
            }
            Found::Classes(way) if way.labelling.filled() > 1 || way.labelling.names.len() > 1 => {
                return Ok(self.against_tables(*way));
            }
            Found::Classes(way) => (without_classes(&way.labelling), Some(way), None),
            Found::Several(ways, question) => return Ok(self.ask(ways, question)),
            Found::None {
                labelling,
                single,
                doubtful,
            } => (labelling, single, doubtful),
        };
        let (found, tried) = self.find_tables(&labelling);
        let names = self.file_names(&labelling);
        if let Some(found) = found {
            return Ok(self.use_tables(found, names, tried.sentences));
        }
        if let Some(mut way) = names {
            if !tried.refused.is_empty() {
                let question = format!(
                    "A table with the labels cannot be used: {}. The names of the files give labels too, perhaps not \
                     those: {}. Mend the table, or choose the names.",
                    tried.refused.join("; "),
                    way.labelling.listed()
                );
                return Ok(self.ask(vec![way], question));
            }
            let not_used = tried
                .sentences
                .iter()
                .take(3)
                .map(|tried| format!("{tried}; it is not used."));
            way.labelling.notes.extend(not_used);
            self.merge_or_note(&mut way.labelling);
            let mut reading = Reading {
                readings: vec![self.candidate(&way)],
                ..self.reading(way.labelling, way.labels)
            };
            reading.tried = tried.sentences;
            return Ok(reading);
        }
        let tried = tried.sentences;
        let mut reading = match (single, doubtful) {
            (Some(way), _) => self.settle(*way),
            (None, Some((way, question))) => self.ask(vec![*way], question),
            (None, None) => self.reading(labelling, Labels::Auto),
        };
        reading.tried = tried;
        Ok(reading)
    }
}
