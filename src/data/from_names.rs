//! Labels from the names of the files, by the pattern that they follow.

use super::class_names::similar_note;
use super::file_names::{self, Pattern};
use super::folders::Way;
use super::labelling::{Labelling, Spot, many, quoted};
use super::layout::file_name;
use super::reading::{Reader, Reading};
use crate::error::{Error, Result};
use crate::protocol::{Labels, Part};

impl Reader<'_> {
    /// The pattern that the names of the images follow, if they do.
    pub(super) fn file_names(&self, labelling: &Labelling) -> Option<Way> {
        let of_part = |only: bool| -> Vec<&str> {
            self.paths
                .iter()
                .zip(&labelling.spots)
                .filter(|(_, spot)| match spot {
                    Spot::In(part, _) => !only || *part == Part::Train,
                    _ => false,
                })
                .map(|(path, _)| path.as_str())
                .collect()
        };
        let text = file_names::find(&of_part(true))?;
        let pattern = Pattern::parse(&text).ok()?;
        let mut found = self.apply(&pattern, labelling, false);
        found.notes.push(format!(
            "The labels were read from the file names by the pattern {text}: {}, {}.",
            many(found.names.len(), "class"),
            found.listed()
        ));
        Some(Way {
            text: format!("the file names, {text}: {}", found.listed()),
            flags: format!("--label-pattern {}", quoted(&text)),
            labels: Labels::FileNames { pattern: text },
            labelling: found,
        })
    }

    /// Labels by a pattern; images that do not follow it are without a label, or faults if `strict`.
    fn apply(&self, pattern: &Pattern, base: &Labelling, strict: bool) -> Labelling {
        let mut found = Labelling {
            notes: base.notes.clone(),
            ..Labelling::default()
        };
        for (path, spot) in self.paths.iter().zip(&base.spots) {
            let label = pattern.label(path);
            let spot = match (spot, label) {
                (Spot::In(part, _), Some(label)) if *part != Part::Unlabelled => {
                    Spot::In(*part, Some(found.class(label)))
                }
                (Spot::In(Part::Train, _), None) if strict => Spot::Out(
                    "does not follow the pattern of file names, which gives it no label".into(),
                    true,
                ),
                (Spot::In(..), _) => Spot::In(Part::Unlabelled, None),
                (other, _) => other.clone(),
            };
            found.spots.push(spot);
        }
        found
    }

    pub(super) fn by_pattern(self, base: &Labelling, text: &str) -> Result<Reading> {
        let pattern = Pattern::parse(text).map_err(Error::Dataset)?;
        let found = self.apply(&pattern, base, true);
        if found.names.is_empty() {
            return Err(Error::Dataset(format!(
                "no file name follows the pattern {text}; the first one is {}",
                self.paths.first().map_or("", |p| file_name(p))
            )));
        }
        let labels = Labels::FileNames {
            pattern: text.to_owned(),
        };
        let notes = similar_note(&found);
        let mut reading = self.reading(found, labels);
        reading.labelling.notes.extend(notes);
        Ok(reading)
    }
}
