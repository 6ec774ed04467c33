//! Tables that speak of the same labels, `train.csv` and `test.csv`, are read together; what is left is named, so that
//! no table of labels is passed over in silence.

use crate::data::labelling::{many, quoted};
use crate::data::layout::file_name;
use crate::data::reading::Reader;
use crate::data::table::{LabelTable, Rows};
use crate::data::unused_lists;
use crate::protocol::TableSummary;

/// Readings of tables that are offered.
const MOST_GROUPS: usize = 6;

/// A table with what it says of the images.
pub(super) type Found<'a> = (&'a LabelTable, Rows, TableSummary);
/// Tables that are read together, with what they say.
pub(super) type Group<'a> = (Vec<&'a LabelTable>, Rows);

/// A sentence about a table that labels images which those in use do not.
fn passed_over(table: &LabelTable, rows: &Rows, used: &[&LabelTable]) -> String {
    let used: Vec<&str> = used.iter().map(|table| file_name(&table.path)).collect();
    let columns = match table.used().label {
        Some(column) => vec![column],
        None => table.choices(),
    };
    let columns: Vec<String> = columns
        .iter()
        .map(|c| format!("\u{201c}{c}\u{201d}"))
        .collect();
    format!(
        "{} may label {} images too, by {}; it is not used, since the labels of {} are others or surer. --labels {}, or the table added again in the page, chooses it.",
        file_name(&table.path),
        rows.labelled(),
        columns.join(" or "),
        used.join(", "),
        quoted(&table.path)
    )
}

/// A sentence about a table that is read with others although its name does not say what for (`sample.csv`): its labels
/// may be made up.
fn joined(table: &LabelTable, rows: &Rows, others: &[&LabelTable]) -> Option<String> {
    let is_plain = table.hint().is_none() && !others.iter().any(|other| other.is_named_like(table));
    is_plain.then(|| {
        let others: Vec<&str> = others.iter().map(|other| file_name(&other.path)).collect();
        format!(
            "{} is read together with {}: it labels {}.",
            file_name(&table.path),
            others.join(", "),
            many(rows.labelled(), "image")
        )
    })
}

impl Reader<'_> {
    /// Puts together the tables that speak of the same labels, those of the first one in front. Sentences about those
    /// that are in no group.
    pub(super) fn grouped<'a>(&self, found: &[Found<'a>]) -> (Vec<Group<'a>>, Vec<String>) {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut notes = Vec::new();
        let mut left = Vec::new();
        let is_sure = found.first().is_some_and(|(main, ..)| main.is_sure());
        for (table, rows, _) in found {
            let may_be_new = groups.is_empty() || (table.is_sure() && groups.len() < MOST_GROUPS);
            let is_clear = table.choices().is_empty();
            let is_wanted =
                |so_far: &Rows| is_clear && (table.is_sure() || !is_sure || rows.continues(so_far));
            let group = groups.iter_mut().find(|(tables, so_far)| {
                let same_name = tables.iter().any(|other| other.is_named_like(table));
                is_wanted(so_far) && rows.goes_with(so_far, same_name)
            });
            match group {
                // Stands in for labels that are not published, as in a sample of what to submit.
                Some((_, so_far)) if rows.is_constant_beside(so_far, self.files) => {
                    notes.push(unused_lists::stands_in(&table.path));
                }
                Some((tables, so_far)) if rows.adds_to(so_far) => {
                    notes.extend(joined(table, rows, tables));
                    // It went well alone, and agrees.
                    let _ = table.apply(self.files, so_far);
                    tables.push(*table);
                }
                Some(_) => {}
                None if may_be_new && is_clear => {
                    let mut own = Rows::new(self.paths.len());
                    let _ = table.apply(self.files, &mut own);
                    groups.push((vec![*table], own));
                }
                None => left.push((table, rows)),
            }
        }
        if let Some((used, so_far)) = groups.first() {
            let lost = left.iter().filter(|(_, rows)| rows.adds_to(so_far));
            notes.extend(lost.map(|(table, rows)| passed_over(table, rows, used)));
        }
        (groups, notes)
    }
}
