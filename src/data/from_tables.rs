//! Labels from the tables of a data set: which one, which columns, and whether the user must choose.

use super::dataset::Candidate;
use super::folders::Way;
use super::labelling::{Labelling, list, quoted};
use super::layout::file_name;
use super::reading::{Reader, Reading, TableFile, similar_note, without_classes};
use super::table::{Files, LabelTable, Rows};
use crate::error::{Error, Result};
use crate::protocol::{Columns, Labels, TableSummary};

impl Reader<'_> {
    /// Class folders with a table beside them: if it says something else of many images, the user chooses.
    pub(super) fn against_tables(self, way: Way) -> Reading {
        if self.tables.is_empty() {
            return self.settle(way);
        }
        let files = Files::new(self.paths, &self.parts);
        let (mut others, mut split) = (Vec::new(), Vec::new());
        for file in self.tables {
            let Ok(bytes) = &file.bytes else { continue };
            let Ok(table) = LabelTable::read(&file.path, bytes, &files, &Columns::default()) else {
                continue;
            };
            if table.has_parts() && !self.parts.iter().any(Option::is_some) {
                split.push(format!(
                    "{} also says which images are for training and for testing, which is not used beside the folders; \
                     --labels {} uses it.",
                    file_name(&file.path),
                    quoted(file_name(&file.path))
                ));
            }
            let mut rows = Rows::new(self.paths.len());
            let sure = table.is_sure() && table.apply(&files, &mut rows).is_ok();
            if !sure || rows.labelled() * 2 < self.paths.len() || rows.divides_like(&way.labelling)
            {
                continue;
            }
            let base = without_classes(&way.labelling);
            let other = table_way(&[&table], rows.labelling(&base, &[&table]));
            if other.labelling.filled() > 1 {
                others.push(other);
            }
        }
        if others.is_empty() {
            let mut reading = self.settle(way);
            reading.labelling.notes.extend(split);
            return reading;
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

    pub(super) fn by_table(
        self,
        base: &Labelling,
        file: &str,
        columns: &Columns,
    ) -> Result<Reading> {
        let files = Files::new(self.paths, &self.parts);
        let mut tables = Vec::new();
        for wanted in file.split(';').map(str::trim).filter(|f| !f.is_empty()) {
            let fail = |reason: &str| Error::Dataset(format!("{wanted}: {reason}"));
            let found = self.table_file(wanted).map_err(|r| fail(&r))?;
            let bytes = found.bytes.as_ref().map_err(|r| fail(r))?;
            let table =
                LabelTable::read(&found.path, bytes, &files, columns).map_err(|r| fail(&r))?;
            if !table.has_labels() {
                return Err(fail("has no column with labels beside the one of images"));
            }
            tables.push(table);
        }
        if tables.is_empty() {
            return Err(Error::Dataset("no table of labels is named".into()));
        }
        if let [table] = &tables[..]
            && !table.choices().is_empty()
        {
            let found = Tables {
                ways: self.column_ways(table, &files, base),
                question: Some(column_question(table)),
                summary: None,
            };
            return Ok(self.use_tables(found, None, Vec::new()));
        }
        let mut rows = Rows::new(self.paths.len());
        let mut summary = None;
        for table in &tables {
            let own = table
                .apply(&files, &mut rows)
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
    fn table_file(&self, wanted: &str) -> std::result::Result<&TableFile, String> {
        let ends = |path: &str| {
            path == wanted
                || path
                    .strip_suffix(wanted)
                    .is_some_and(|rest| rest.ends_with('/'))
        };
        let mut found: Vec<&TableFile> = self.tables.iter().filter(|t| ends(&t.path)).collect();
        if let Some(exact) = found.iter().find(|t| t.path == wanted) {
            return Ok(exact);
        }
        match (found.len(), found.pop()) {
            (1, Some(only)) => Ok(only),
            (0, _) => {
                let names: Vec<&str> = self.tables.iter().map(|t| t.path.as_str()).collect();
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

    /// A reading for each column that may be the label.
    fn column_ways(&self, table: &LabelTable, files: &Files, base: &Labelling) -> Vec<Way> {
        let readings = table.choices().into_iter().filter_map(|column| {
            let table = table.with_label(&column);
            let mut rows = Rows::new(self.paths.len());
            table.apply(files, &mut rows).ok()?;
            Some(table_way(&[&table], rows.labelling(base, &[&table])))
        });
        readings.collect()
    }

    /// The tables that give labels, and why others give none.
    pub(super) fn find_tables(
        &self,
        files: &Files,
        base: &Labelling,
    ) -> (Option<Tables>, Vec<String>) {
        let mut tried = Vec::new();
        let mut found: Vec<(LabelTable, Rows, TableSummary)> = Vec::new();
        for file in self.tables {
            let name = &file.path;
            let mut read = || -> std::result::Result<(), String> {
                let bytes = file.bytes.as_ref().map_err(Clone::clone)?;
                let table = LabelTable::read(name, bytes, files, &Columns::default())?;
                if !table.has_labels() {
                    return Err("names images and has no column with labels".into());
                }
                let mut rows = Rows::new(self.paths.len());
                let summary = table.apply(files, &mut rows)?;
                if summary.matched == 0 {
                    return Err("names no image that is here".into());
                }
                found.push((table, rows, summary));
                Ok(())
            };
            if let Err(reason) = read() {
                tried.push(format!("{name} {reason}"));
            }
        }
        // The one that is surest and names the most images first.
        found.sort_by_key(|(table, _, summary)| (!table.is_sure(), usize::MAX - summary.matched));
        let Some((main, main_rows, main_summary)) = found.first() else {
            return (None, tried);
        };
        if !main.choices().is_empty() {
            let ways = self.column_ways(main, files, base);
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
        let mut together = vec![main];
        let mut apart = Vec::new();
        for (table, rows, _) in &found[1..] {
            let (new, agree) = rows.compare(main_rows);
            if !agree {
                apart.push((table, rows));
            } else if new > 0 && (table.is_sure() || !main.is_sure()) && table.choices().is_empty()
            {
                together.push(table);
            }
        }
        let mut rows = Rows::new(self.paths.len());
        for table in &together {
            // It went well alone.
            let _ = table.apply(files, &mut rows);
        }
        let mut ways = vec![table_way(&together, rows.labelling(base, &together))];
        for (table, _) in apart.iter().take(5) {
            if !table.is_sure() || !main.is_sure() && !table.choices().is_empty() {
                continue;
            }
            let mut rows = Rows::new(self.paths.len());
            let _ = table.apply(files, &mut rows);
            ways.push(table_way(&[table], rows.labelling(base, &[table])));
        }
        let question = (ways.len() > 1).then(|| {
            let texts: Vec<&str> = ways.iter().map(|w| w.text.as_str()).collect();
            format!(
                "Tables give different labels: {}. Choose one.",
                texts.join("; or ")
            )
        });
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

    pub(super) fn use_tables(
        self,
        found: Tables,
        names: Option<Way>,
        tried: Vec<String>,
    ) -> Reading {
        let mut ways = found.ways;
        let asks = found.question.is_some() || ways.is_empty();
        ways.extend(names);
        let readings: Vec<Candidate> = ways.iter().map(|way| self.candidate(way)).collect();
        let Some(way) = ways.into_iter().next() else {
            return self.reading(Labelling::default(), Labels::Auto);
        };
        let notes = similar_note(&way.labelling);
        let mut reading = self.reading(way.labelling, way.labels);
        reading.labelling.notes.extend(notes);
        reading.tried = tried;
        reading.table = found.summary;
        if asks {
            reading.labels = Labels::Auto;
            reading.question = found.question;
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

fn column_question(table: &LabelTable) -> String {
    format!(
        "Several columns of {} may be the label: {}. Choose one.",
        file_name(&table.path),
        list(&table.choices())
    )
}

fn table_way(tables: &[&LabelTable], labelling: Labelling) -> Way {
    let paths: Vec<&str> = tables.iter().map(|t| t.path.as_str()).collect();
    let file = paths.join(";");
    let used = tables.first().map(|t| t.used()).unwrap_or_default();
    let mut flags = format!("--labels {}", quoted(&file));
    let text = match &used.label {
        Some(label) => {
            flags.push_str(&format!(" --label-column {}", quoted(label)));
            let label: String = label.chars().take(60).collect();
            format!(
                "the column \u{201c}{label}\u{201d} of {file}: {}",
                labelling.listed()
            )
        }
        None => format!("{file}: {}", labelling.listed()),
    };
    let columns = if tables.len() == 1 {
        used
    } else {
        // Each has its own.
        Columns {
            label: used.label,
            ..Columns::default()
        }
    };
    Way {
        labels: Labels::Table { file, columns },
        text,
        flags,
        labelling,
    }
}
