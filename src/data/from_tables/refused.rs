//! Tables that give no labels beside those that do. NIH's `Data_Entry_2017.csv` has several labels for each of all the
//! images; the table of boxes beside it labels few of them, and training on these alone is not what anybody meant.

use crate::data::folders::Way;
use crate::data::labelling::many;
use crate::data::table::NO_TABLE;

/// Tables that give no labels, and why: sentences.
#[derive(Default)]
pub(in crate::data) struct Tried {
    /// All of them.
    pub(in crate::data) sentences: Vec<String>,
    /// Those that seem to have the labels all the same.
    pub(in crate::data) refused: Vec<String>,
    /// The same with how many images each names; without JSON of a shape that is no table's, which may be anything.
    main: Vec<(String, usize)>,
}

impl Tried {
    /// A table that seems to have the labels; `named` are the images that it names, none if it cannot be read.
    pub(super) fn add_refused(&mut self, sentence: &str, named: Option<usize>) {
        self.refused.push(sentence.to_owned());
        if !sentence.ends_with(NO_TABLE) {
            self.main.push((sentence.to_owned(), named.unwrap_or(0)));
        }
    }

    /// Sentences about them, where another table is used.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let note = |(sentence, _): &(String, usize)| format!("{sentence}; it is not used.");
        self.main.iter().map(note)
    }

    /// Asks whether a table that labels so many images is meant, where a refused one names clearly more.
    pub(super) fn question(&self, labelled: usize, ways: &[Way]) -> Option<String> {
        let is_larger = |(_, named): &&(String, usize)| named * 9 > labelled * 10;
        let larger: Vec<&(String, usize)> = self.main.iter().filter(is_larger).collect();
        let most = larger.iter().map(|one| one.1).max()?;
        let sentences: Vec<&str> = larger.iter().map(|one| one.0.as_str()).collect();
        let texts: Vec<&str> = ways.iter().map(|way| way.text.as_str()).collect();
        Some(format!(
            "A table that names {} cannot be used: {}. Another one has labels for {labelled} of them: {}. Mend the first \
             one, or choose the other.",
            many(most, "image"),
            sentences.join("; "),
            texts.join("; or ")
        ))
    }
}
