//! Where the labels of a data set come from, on the command line.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::error::{Error, Result};
use crate::platform::files::InputFile;
use crate::protocol::{Columns, Labels, Part};

/// Flags for data sets whose labels can be read in several ways.
#[derive(Args, Clone, Default)]
pub struct LabelArgs {
    /// Which folder is the class: 1 is the outermost in which the images differ (parts such as train do not count).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64), help_heading = "Labels")]
    pub class_level: Option<u16>,
    /// Whether class names that differ in case, blanks or dashes alone are one class.
    #[arg(long, value_name = "YES|NO", value_parser = yes_or_no, help_heading = "Labels")]
    pub merge_similar: Option<bool>,
    /// A folder that is a part of the data set: NAME=train, NAME=validation, NAME=test or NAME=unlabelled.
    #[arg(long, value_name = "NAME=PART", value_parser = part, help_heading = "Labels")]
    pub part: Vec<(String, Part)>,
    /// A table (CSV, TSV, JSON) with the labels, in the data set or anywhere else.
    #[arg(long, value_name = "FILE", help_heading = "Labels")]
    pub labels: Option<PathBuf>,
    /// The table's column of file names.
    #[arg(
        long,
        value_name = "NAME",
        requires = "labels",
        help_heading = "Labels"
    )]
    pub image_column: Option<String>,
    /// The table's column of labels.
    #[arg(
        long,
        value_name = "NAME",
        requires = "labels",
        help_heading = "Labels"
    )]
    pub label_column: Option<String>,
    /// The table's column that says train, validation or test.
    #[arg(
        long,
        value_name = "NAME",
        requires = "labels",
        help_heading = "Labels"
    )]
    pub part_column: Option<String>,
    /// Labels are in the file names: {label} is the label, * is any text, as in '{label}.*.jpg'.
    #[arg(long, value_name = "PATTERN", help_heading = "Labels")]
    pub label_pattern: Option<String>,
}

/// What the flags ask for.
pub struct Asked {
    /// The reading.
    pub labels: Labels,
    /// A table that does not lie in the data set.
    pub beside: Option<(String, InputFile)>,
}

impl LabelArgs {
    /// What they ask for, of the data set at `dataset`.
    ///
    /// # Errors
    /// [`Error::Setting`] if two of them contradict each other, [`Error::Storage`] if the table cannot be opened.
    pub fn asked(&self, dataset: &Path) -> Result<Asked> {
        let folders = self.class_level.is_some() || !self.part.is_empty();
        let ways = [folders, self.labels.is_some(), self.label_pattern.is_some()];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            let reason = "labels come from folders (--class-level, --part), a table (--labels) or file names \
                          (--label-pattern); give one of them";
            return Err(Error::setting("labels", reason));
        }
        if self.merge_similar.is_some() && (self.labels.is_some() || self.label_pattern.is_some()) {
            let reason = "goes with labels that are found, or read from folders; without --labels and --label-pattern \
                          it applies to a table and to file names too";
            return Err(Error::setting("--merge-similar", reason));
        }
        if let Some(table) = &self.labels {
            return self.table(table, dataset);
        }
        let labels = match &self.label_pattern {
            Some(pattern) => Labels::FileNames {
                pattern: pattern.clone(),
            },
            None if folders => Labels::Folders {
                level: self.class_level.map(usize::from),
                merge_similar: self.merge_similar,
                parts: self.part.clone(),
            },
            None => (self.merge_similar).map_or(Labels::Auto, |merge| Labels::Similar { merge }),
        };
        Ok(Asked {
            labels,
            beside: None,
        })
    }

    fn table(&self, table: &Path, dataset: &Path) -> Result<Asked> {
        let columns = Columns {
            image: self.image_column.clone(),
            label: self.label_column.clone(),
            part: self.part_column.clone(),
        };
        let named = |file: String| Labels::Table { file, columns };
        let within = |path: &Path| {
            let (path, root) = (path.canonicalize().ok()?, dataset.canonicalize().ok()?);
            let rest = path.strip_prefix(&root).ok()?;
            // Listed paths begin with the folder's own name.
            let name = root
                .file_name()?
                .to_string_lossy()
                .trim_start_matches('.')
                .to_string();
            Some(format!(
                "{name}/{}",
                rest.to_string_lossy().replace('\\', "/")
            ))
        };
        // Seen from here, or from the data set's folder.
        if !table.is_file() {
            let file = table.to_string_lossy().replace('\\', "/");
            return Ok(Asked {
                labels: named(file),
                beside: None,
            });
        }
        if let Some(file) = within(table) {
            return Ok(Asked {
                labels: named(file),
                beside: None,
            });
        }
        let handle = InputFile::open(table)?;
        let name = handle.name().to_string();
        Ok(Asked {
            labels: named(name.clone()),
            beside: Some((name, handle)),
        })
    }
}

fn yes_or_no(text: &str) -> std::result::Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err("yes or no is expected".to_string()),
    }
}

fn part(text: &str) -> std::result::Result<(String, Part), String> {
    let (name, part) = text
        .rsplit_once('=')
        .ok_or("NAME=PART is expected, as in holdout=test")?;
    let part = match part.to_ascii_lowercase().as_str() {
        "train" => Part::Train,
        "validation" | "val" => Part::Validation,
        "test" => Part::Test,
        "unlabelled" => Part::Unlabelled,
        other => {
            return Err(format!(
                "{other} is none of train, validation, test, unlabelled"
            ));
        }
    };
    Ok((name.to_string(), part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_way_to_the_labels_at_a_time() {
        let args = LabelArgs {
            class_level: Some(2),
            label_pattern: Some("{label}.*".to_string()),
            ..LabelArgs::default()
        };
        assert!(matches!(
            args.asked(Path::new(".")),
            Err(Error::Setting { .. })
        ));
        assert_eq!(part("a=b=test"), Ok(("a=b".to_string(), Part::Test)));
        assert!(part("a=rest").is_err() && part("a").is_err());
        let nothing = LabelArgs::default().asked(Path::new(".")).map(|a| a.labels);
        assert_eq!(nothing, Ok(Labels::Auto));
    }
}
