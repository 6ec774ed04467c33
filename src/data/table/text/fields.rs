//! Lists with several words behind each image: columns, as `000.jpg cat sunny` and MIAS' `mdb001 G CIRC B 535 425 197`
//! have them, or a name of several words, `1.jpg golden retriever`. Taken for a name, every combination of the columns
//! is a class of its own.

use std::collections::HashSet;

use super::halves;
use crate::data::table::parse::{Table, named, unnamed};

/// Least figures behind the words of some lines which tell that the others have fewer columns, not shorter names.
const FIGURES: usize = 2;

/// Which words behind the images are columns.
pub(super) struct Fields {
    /// How many there are, the image not counted.
    words: usize,
    /// Those that are no numbers, of which the class may be the combination as well.
    together: Option<Vec<usize>>,
}

fn is_number(word: &str) -> bool {
    word.parse::<f64>().is_ok()
}

/// What stands behind the image, word by word.
fn behind(line: &str) -> Vec<&str> {
    line.split_whitespace().skip(1).collect()
}

/// The words of some columns as one text.
fn joined(words: &[&str], columns: &[usize]) -> String {
    let own: Vec<&str> = columns.iter().map(|&column| words[column]).collect();
    own.join(" ")
}

impl Fields {
    /// The columns of some lines; none if what stands behind their images is one name.
    pub(super) fn of(lines: &[&str]) -> Option<Self> {
        let rows: Vec<Vec<&str>> = lines.iter().map(|line| behind(line)).collect();
        let words = rows.iter().map(Vec::len).min()?;
        let is_ragged = rows.iter().any(|row| row.len() > words);
        let has_figures = |row: &Vec<&str>| {
            let figures = row[words..].iter().filter(|word| is_number(word));
            figures.count() >= FIGURES
        };
        if words < 2 || (is_ragged && !rows.iter().any(has_figures)) {
            return None;
        }
        let different = |columns: &[usize]| {
            let all: HashSet<String> = rows.iter().map(|row| joined(row, columns)).collect();
            all.len()
        };
        let (numbers, texts): (Vec<usize>, Vec<usize>) =
            (0..words).partition(|&column| rows.iter().all(|row| is_number(row[column])));
        // The words of a column come again and again.
        let comes_again = |columns: &[usize]| different(columns) * 2 <= rows.len();
        if texts.is_empty() || !texts.iter().all(|&column| comes_again(&[column])) {
            return None;
        }
        let all: Vec<usize> = (0..words).collect();
        // Columns do not depend on each other, as the words of a name do: most of the combinations are there.
        let are_apart = |columns: &[usize]| {
            let counts = columns.iter().map(|&column| different(&[column]));
            let most = counts.clone().max().unwrap_or(0);
            let possible = counts.fold(1_usize, usize::saturating_mul);
            let there = different(columns);
            there > most && there.saturating_mul(2) > possible
        };
        // A number that says what a word says already, or measures something, is none of a name: `cat 0`.
        let adds_nothing = |&number: &usize| {
            let with: Vec<usize> = texts.iter().copied().chain([number]).collect();
            different(&with) == different(&texts) || !comes_again(&[number])
        };
        let are_columns = are_apart(&all)
            || are_apart(&texts)
            || (!numbers.is_empty() && numbers.iter().all(adds_nothing));
        if !is_ragged && !are_columns {
            return None;
        }
        let may_be_name = !is_ragged && texts.len() > 1 && comes_again(&texts);
        Some(Self {
            words,
            together: may_be_name.then_some(texts),
        })
    }

    /// Image and words, a column each, and the words together where they may be a name. A first line of as many words
    /// that names no image has the names of the columns.
    pub(super) fn table<'a>(
        &self,
        lines: impl Iterator<Item = &'a str>,
        is_image: &dyn Fn(&str) -> bool,
    ) -> Result<Table, String> {
        let mut lines = lines.peekable();
        let is_header = |line: &&str| {
            let mut words = line.split_whitespace();
            let count = words.clone().count();
            count == self.words + 1 && !words.clone().any(is_number) && !words.any(is_image)
        };
        let mut names: Vec<String> = match lines.next_if(is_header) {
            Some(header) => header.split_whitespace().map(str::to_owned).collect(),
            None => (0..=self.words).map(unnamed).collect(),
        };
        let all = self.together.as_ref().map(|columns| {
            let all: Vec<&str> = columns.iter().map(|&c| names[c + 1].as_str()).collect();
            format!("{} with {}", all[0], all[1..].join(" and "))
        });
        names.extend(all);
        let mut table = Table::new(named(names));
        for line in lines {
            let Some((image, _)) = halves(line) else {
                continue;
            };
            let mut words = behind(line);
            words.resize(self.words.max(words.len()), "");
            let together = self
                .together
                .as_ref()
                .map(|columns| joined(&words, columns));
            let own = words[..self.words].iter().copied();
            table.push([image].into_iter().chain(own).chain(together.as_deref()))?;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The cells of the first line and the names of the columns, of a list of this many lines.
    fn read(lines: usize, line: impl Fn(usize) -> String) -> Option<[Vec<String>; 2]> {
        let lines: Vec<String> = (0..lines).map(line).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let fields = Fields::of(&lines)?;
        let table = fields.table(lines.into_iter(), &|_| true).expect("a table");
        let [names, first] = [0, 1].map(|row| table.lines()[row].clone());
        Some([names, first])
    }

    #[test]
    fn words_that_come_in_every_combination_are_columns() {
        let line = |i: usize| {
            let [animal, sky] = [["cat", "dog"][i % 2], ["sunny", "rainy", "foggy"][i % 3]];
            format!("{i:03}.jpg {animal} {sky}")
        };
        let columns = ["column 1", "column 2", "column 3", "column 2 with column 3"];
        let cells = ["000.jpg", "cat", "sunny", "cat sunny"];
        let [names, first] = read(12, line).expect("columns");
        assert_eq!(
            (names, first),
            (
                columns.map(String::from).to_vec(),
                cells.map(String::from).to_vec()
            )
        );
        // A class and its number.
        let line = |i: usize| format!("{i:03}.jpg {} {}", ["cat", "dog"][i % 2], i % 2);
        let [_, first] = read(12, line).expect("columns");
        assert_eq!(first, ["000.jpg", "cat", "0"]);
        // Fewer words where there is nothing to measure.
        let line = |i: usize| {
            let kind = match i % 2 {
                0 => "NORM".to_owned(),
                _ => format!("CIRC B {} {} 197", 535 + i, 425 - i),
            };
            format!("mdb{i:03} {} {kind}", ["G", "F", "D"][i % 3])
        };
        let [names, first] = read(18, line).expect("columns");
        assert_eq!(first, ["mdb000", "G", "NORM"]);
        assert_eq!(names.len(), 3);
    }

    #[test]
    fn names_of_several_words_are_names() {
        let of = |names: &'static [&str]| {
            read(names.len() * 6, move |i| {
                format!("{i:03}.jpg {}", names[i % names.len()])
            })
        };
        for names in [
            &[
                "golden retriever",
                "border collie",
                "siamese cat",
                "persian cat",
            ][..],
            &["golden retriever", "pug", "german shorthaired pointer"],
            &[
                "Boeing 707",
                "Boeing 727",
                "Boeing 737",
                "Airbus 310",
                "Airbus 320",
            ],
            &[
                "Quercus alba",
                "Quercus rubra",
                "Acer rubrum",
                "Acer platanoides",
            ],
        ] {
            assert!(of(names).is_none(), "{names:?}");
        }
        // These may be either, so that all are offered.
        let [names, _] = of(&["red panda", "red fox", "giant panda"]).expect("columns");
        assert_eq!(names.len(), 4);
    }
}
