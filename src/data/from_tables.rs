//! Labels from the tables of a data set: which one, which columns, and whether the user must choose.

mod refused;
mod together;

pub(super) use self::refused::Tried;
use self::together::Found;
use super::dataset::Candidate;
use super::folders::Way;
use super::labelling::{Labelling, list, quoted};
use super::layout::{Other, file_name, not_an_image};
use super::reading::{NOT_OFFERED, Reader, Reading};
use super::table::{LabelTable, Parsed, Rows, is_text};
use super::unused_lists;
use crate::error::{Error, Result};
use crate::protocol::{Columns, Labels, TableSummary};

impl Reader<'_> {
    pub(super) fn by_table(
        self,
        base: &Labelling,
        file: &str,
        columns: &Columns,
    ) -> Result<Reading> {
        let mut named = Vec::new();
        for wanted in file.split(';').map(str::trim).filter(|f| !f.is_empty()) {
            let fail = |reason: String| Error::Dataset(format!("{wanted}: {reason}"));
            named.push((wanted, self.table_file(wanted).map_err(fail)?));
        }
        let mut tables = Vec::new();
        for (wanted, parsed) in &named {
            // Each of several tables has columns of its own; what is named must be in one of them.
            let own = match &named[..] {
                [_] => columns.clone(),
                _ => parsed.own(columns),
            };
            let fail = |reason: &str| Error::Dataset(format!("{wanted}: {reason}"));
            let table = LabelTable::read(parsed, self.parsed, self.files, &own)
                .map_err(|reason| fail(&reason))?;
            if !table.has_labels() {
                return Err(fail("has no column with labels beside the one of images"));
            }
            tables.push(table);
        }
        for column in [&columns.image, &columns.label, &columns.part]
            .into_iter()
            .flatten()
        {
            if !named.is_empty() && !named.iter().any(|(_, parsed)| parsed.has_column(column)) {
                return Err(Error::Dataset(format!(
                    "none of the tables {file} has a column \u{201c}{column}\u{201d}"
                )));
            }
        }
        if tables.is_empty() {
            return Err(Error::Dataset("no table of labels is named".into()));
        }
        if let [table] = &tables[..]
            && !table.choices().is_empty()
        {
            let ways = self.column_ways(table, &[], base);
            if ways.iter().all(|way| way.labelling.filled() < 2) {
                return Err(Error::Dataset(format!(
                    "{}: none of the columns that may be the label ({}) gives two classes of the images that are here",
                    table.path,
                    list(&table.choices())
                )));
            }
            let found = Tables {
                ways,
                question: Some(column_question(table)),
                summary: None,
            };
            return Ok(self.use_tables(found, None, Vec::new()));
        }
        let mut rows = Rows::new(self.paths.len());
        let mut summary = None;
        for table in &tables {
            let own = table
                .apply(self.files, &mut rows)
                .map_err(|r| Error::Dataset(format!("{}: {r}", table.path)))?;
            summary.get_or_insert(own);
        }
        let all: Vec<&LabelTable> = tables.iter().collect();
        let way = table_way(&all, rows.labelling(base, &all));
        let found = Tables {
            ways: vec![way],
            question: None,
            summary,
        };
        Ok(self.use_tables(found, None, Vec::new()))
    }

    /// The table of a name: its whole path, or the end of it.
    fn table_file(&self, wanted: &str) -> std::result::Result<&Parsed, String> {
        if not_an_image(wanted) == Some(Other::Spreadsheet) {
            return Err(Other::Spreadsheet.reason().to_owned());
        }
        let ends = |path: &str| {
            path == wanted
                || path
                    .strip_suffix(wanted)
                    .is_some_and(|rest| rest.ends_with('/'))
        };
        let mut found: Vec<&Parsed> = self.parsed.iter().filter(|t| ends(&t.path)).collect();
        if let Some(exact) = found.iter().find(|t| t.path == wanted) {
            return Ok(exact);
        }
        match (found.len(), found.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => {
                let names: Vec<&str> = self.parsed.iter().map(|t| t.path.as_str()).collect();
                Err(if names.is_empty() {
                    "there is no such table among the files of the data set, nor any other".into()
                } else {
                    format!(
                        "there is no such table among the files of the data set; there are {}",
                        list(&names)
                    )
                })
            }
            _ => Err("there are several files of this name; name its folder too".into()),
        }
    }

    /// A reading for each column that may be the label, with the tables of other images that have it too.
    pub(super) fn column_ways(
        &self,
        main: &LabelTable,
        others: &[&LabelTable],
        base: &Labelling,
    ) -> Vec<Way> {
        let readings = main.choices().into_iter().filter_map(|column| {
            let mut tables = vec![main.with_label(&column)];
            let mut rows = Rows::new(self.paths.len());
            tables[0].apply(self.files, &mut rows).ok()?;
            for other in others.iter().filter(|other| other.has_column(&column)) {
                let other = other.with_label(&column);
                let mut own = Rows::new(self.paths.len());
                let read = other.apply(self.files, &mut own).is_ok();
                if read && own.goes_with(&rows, true) && own.adds_to(&rows) {
                    let _ = other.apply(self.files, &mut rows);
                    tables.push(other);
                }
            }
            let tables: Vec<&LabelTable> = tables.iter().collect();
            Some(table_way(&tables, rows.labelling(base, &tables)))
        });
        readings.collect()
    }

    /// The tables that give labels, and why others give none.
    pub(super) fn find_tables(&self, base: &Labelling) -> (Option<Tables>, Tried) {
        let mut tried = Tried::default();
        let mut found: Vec<Found> = Vec::new();
        for (name, table) in self.found {
            let mut read = || -> std::result::Result<(), String> {
                let table = table.as_ref().map_err(Clone::clone)?;
                if !table.has_labels() {
                    return Err("names images and has no column with labels".into());
                }
                let mut rows = Rows::new(self.paths.len());
                let summary = table.apply(self.files, &mut rows)?;
                let several = table.ambiguous(self.files);
                if summary.matched == 0 && several > 0 {
                    return Err(format!(
                        "names in {several} of {} rows files of which there are several, in different folders, so that none is clear; write the folder before each name",
                        summary.rows
                    ));
                }
                if summary.matched == 0 {
                    return Err("names no image that is here".into());
                }
                found.push((table, rows, summary));
                Ok(())
            };
            if let Err(reason) = read()
                && !is_text(name)
            {
                let sentence = format!("{name} {reason}");
                if self.is_refused(name, table) {
                    tried.add_refused(&sentence, self.images_named(name));
                }
                tried.sentences.push(sentence);
            }
        }
        // The one that is surest and names the most images first; one label for all may stand in for unknown ones.
        found.sort_by_key(|(table, rows, summary)| {
            (
                rows.is_constant(),
                !table.is_sure(),
                usize::MAX - summary.matched,
            )
        });
        let Some((main, _, main_summary)) = found.first() else {
            return (None, tried);
        };
        if !main.choices().is_empty() {
            let others: Vec<&LabelTable> = found[1..].iter().map(|(table, ..)| *table).collect();
            let ways = self.column_ways(main, &others, base);
            let question = Some(column_question(main));
            return (
                Some(Tables {
                    ways,
                    question,
                    summary: None,
                }),
                tried,
            );
        }
        let (groups, notes) = self.grouped(&found);
        let labelled = groups.first().map_or(0, |(_, rows)| rows.labelled());
        let ways: Vec<Way> = groups
            .into_iter()
            .map(|(tables, rows)| {
                let mut labelling = rows.labelling(base, &tables);
                labelling.notes.extend(notes.iter().cloned());
                labelling.notes.extend(tried.notes());
                table_way(&tables, labelling)
            })
            .collect();
        let question = several_question(&ways).or_else(|| tried.question(labelled, &ways));
        let summary = Some(main_summary.clone());
        (
            Some(Tables {
                ways,
                question,
                summary,
            }),
            tried,
        )
    }

    /// Images that a table names; none if it cannot be read.
    fn images_named(&self, path: &str) -> Option<usize> {
        let parsed = self.parsed.iter().find(|parsed| parsed.path == path)?;
        parsed.images_named(self.files)
    }

    /// Whether a table that gives no labels seems to have them: it names the images that are here, or cannot be read.
    fn is_refused(&self, path: &str, table: &std::result::Result<LabelTable, String>) -> bool {
        let parsed = self.parsed.iter().find(|parsed| parsed.path == path);
        let has_none = match table {
            Ok(table) => !table.has_labels(),
            // A note says so already.
            Err(reason) => reason == unused_lists::TO_LEAVE_OUT,
        };
        !has_none && parsed.is_some_and(|parsed| parsed.is_unreadable_or_names_images(self.files))
    }

    pub(super) fn use_tables(
        self,
        found: Tables,
        names: Option<Way>,
        tried: Vec<String>,
    ) -> Reading {
        let asks = found.question.is_some() || found.ways.is_empty();
        let (mut ways, fewer) = match asks {
            true => self.trainable(found.ways),
            false => (found.ways, false),
        };
        ways.extend(names);
        let readings: Vec<Candidate> = ways.iter().map(|way| self.candidate(way)).collect();
        let Some(mut way) = ways.into_iter().next() else {
            return self.reading(Labelling::default(), Labels::Auto);
        };
        self.merge_or_note(&mut way.labelling);
        let mut reading = self.reading(way.labelling, way.labels);
        reading.tried = tried;
        reading.table = found.summary;
        if asks {
            reading.labels = Labels::Auto;
            reading.question = found.question.map(|mut question| {
                if fewer {
                    question.push_str(NOT_OFFERED);
                }
                question
            });
        }
        reading.readings = readings;
        reading
    }
}

/// Readings of tables.
pub(super) struct Tables {
    ways: Vec<Way>,
    question: Option<String>,
    /// Of the first one.
    summary: Option<TableSummary>,
}

fn several_question(ways: &[Way]) -> Option<String> {
    (ways.len() > 1).then(|| {
        let texts: Vec<&str> = ways.iter().map(|w| w.text.as_str()).collect();
        format!(
            "Tables give different labels: {}. Choose one.",
            texts.join("; or ")
        )
    })
}

fn column_question(table: &LabelTable) -> String {
    format!(
        "Several columns of {} may be the label: {}. Choose one.",
        file_name(&table.path),
        list(&table.choices())
    )
}

pub(super) fn table_way(tables: &[&LabelTable], labelling: Labelling) -> Way {
    let paths: Vec<&str> = tables.iter().map(|t| t.path.as_str()).collect();
    let file = paths.join(";");
    let used: Vec<Columns> = tables.iter().map(|t| t.used()).collect();
    let short = |label: &str| label.chars().take(60).collect::<String>();
    let first = used.first().cloned().unwrap_or_default();
    let is_same = used.iter().all(|columns| columns.label == first.label);
    let mut flags = format!("--labels {}", quoted(&file));
    let text = match &first.label {
        Some(label) if is_same => {
            flags.push_str(&format!(" --label-column {}", quoted(label)));
            format!(
                "the column \u{201c}{}\u{201d} of {file}: {}",
                short(label),
                labelling.listed()
            )
        }
        Some(_) => {
            let columns = used.iter().zip(&paths).map(|(columns, path)| {
                let label = columns.label.as_deref().unwrap_or_default();
                format!("\u{201c}{}\u{201d} of {path}", short(label))
            });
            let columns: Vec<String> = columns.collect();
            format!("the columns {}: {}", list(&columns), labelling.listed())
        }
        None => format!("{file}: {}", labelling.listed()),
    };
    let columns = match tables.len() {
        1 => first,
        // Each has its own.
        _ => Columns {
            label: first.label.filter(|_| is_same),
            ..Columns::default()
        },
    };
    Way {
        labels: Labels::Table { file, columns },
        text,
        flags,
        labelling,
    }
}
