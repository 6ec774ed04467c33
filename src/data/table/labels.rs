//! Which column of a table has the labels: found by its name and its cells.

use std::collections::{HashMap, HashSet};

use super::columns::sample;
use super::files::Match;
use super::headers::{is_no_label, label_rank};
use super::parse::Table;
use super::part::truth;

/// Most different numbers that are labels under a header that does not say so: more are counts, ages, sizes.
const MOST_NUMBERS: usize = 12;
/// Most labels.
const MAX_LABELS: usize = 20_000;

/// Whether a cell says that there is no value. Case counts: `none` may be a class.
pub(super) fn is_missing(cell: &str) -> bool {
    const WORDS: [&str; 15] = [
        "NA", "N/A", "n/a", "<NA>", "#N/A", "NaN", "nan", "NAN", "null", "NULL", "Null", "None",
        "?", "-", "",
    ];
    WORDS.contains(&cell)
}

/// Where the labels stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Label {
    /// In one column.
    Column(usize),
    /// In the names of columns, of which each row marks one.
    OneHot(Vec<usize>),
    /// In one of these; which one is the question.
    Several(Vec<usize>),
    /// Nowhere.
    None,
}

/// What a column's cells are like.
struct Profile<'a> {
    counts: HashMap<&'a str, usize>,
    /// Cells that are not empty.
    filled: usize,
    /// Whether all are numbers, and whether any of them has a fraction.
    numbers: bool,
    fractions: bool,
    /// Whether all are 0 or 1, or words such as True and False.
    marks: bool,
}

fn profile<'a>(table: &'a Table, column: usize, rows: &[usize]) -> Profile<'a> {
    let mut profile = Profile {
        counts: HashMap::new(),
        filled: 0,
        numbers: true,
        fractions: false,
        marks: true,
    };
    for &row in rows {
        let cell = table.cell(row, column);
        if is_missing(cell) {
            continue;
        }
        profile.filled += 1;
        *profile.counts.entry(cell).or_default() += 1;
    }
    for cell in profile.counts.keys() {
        let number = cell.parse::<f64>();
        profile.numbers &= number.is_ok();
        profile.fractions |= number.is_ok_and(|n| n.fract() != 0.0);
        profile.marks &= truth(cell).is_some();
    }
    profile
}

/// The column of labels, of those that are not `used` for anything else; and other columns of words which divide the
/// images in another way, though their names do not say that they have labels.
pub(super) fn label_column(
    table: &Table,
    find: &dyn Fn(&str) -> Match,
    image: usize,
    used: &[usize],
) -> Result<(Label, Vec<usize>), String> {
    // Rows of images that are here; what stands in others gives no class.
    let rows: Vec<usize> = sample(table)
        .filter(|&row| find(table.cell(row, image)) != Match::None)
        .collect();
    let others = (0..table.columns.len()).filter(|c| !used.contains(c));
    let mut candidates = Vec::new();
    let (mut marks, mut named_marks) = (Vec::new(), Vec::new());
    for column in others {
        let profile = profile(table, column, &rows);
        let distinct = profile.counts.len();
        let rank = label_rank(table, column);
        if profile.marks && profile.filled == rows.len() {
            match rank {
                None => marks.push(column),
                Some(_) => named_marks.push(column),
            }
        }
        if profile.filled * 2 < rows.len() || profile.filled == 0 {
            continue;
        }
        let plausible = if rank.is_some() {
            !(profile.numbers && profile.fractions) && (distinct < rows.len() || rows.len() < 4)
        } else {
            distinct > 1
                && distinct * 2 <= rows.len()
                && distinct <= 1000
                && !profile.fractions
                && !(profile.numbers && distinct > MOST_NUMBERS)
                && !is_no_label(table, column, profile.numbers)
        };
        if rank.is_some() && !plausible && distinct > 1 {
            // All different, as lists of labels tend to be.
            refuse_several(table, column)?;
        }
        if plausible && distinct <= MAX_LABELS {
            candidates.push((rank, column, profile));
        }
    }
    let preferred: Vec<_> = candidates.iter().filter(|c| c.0.is_some()).collect();
    if preferred.is_empty() && marks.len() > 1 {
        let others = candidates.iter().filter(|c| !marks.contains(&c.1)).count();
        if let Some(label) = one_hot(table, &marks, &rows, others)? {
            return Ok((label, Vec::new()));
        }
    }
    // pandas writes `label_cat`, `label_dog`.
    if named_marks.len() > 1
        && preferred.iter().all(|c| named_marks.contains(&c.1))
        && rows.iter().all(|&row| {
            let is_marked = |&&c: &&usize| truth(table.cell(row, c)) == Some(true);
            named_marks.iter().filter(is_marked).count() == 1
        })
    {
        return Ok((Label::OneHot(named_marks), Vec::new()));
    }
    let pool: Vec<_> = if preferred.is_empty() {
        candidates.iter().collect()
    } else {
        preferred
    };
    // Columns that divide the images in the same way are one: names win over numbers.
    let mut groups: Vec<usize> = Vec::new();
    let mut pool = pool;
    pool.sort_by_key(|(rank, column, profile)| {
        (profile.numbers, rank.unwrap_or(usize::MAX), *column)
    });
    for (_, column, _) in &pool {
        if !groups
            .iter()
            .any(|&g| same_division(table, g, *column, &rows))
        {
            groups.push(*column);
        }
    }
    match groups[..] {
        [] => Ok((Label::None, Vec::new())),
        [column] => {
            refuse_several(table, column)?;
            let is_other = |(_, other, profile): &&(Option<usize>, usize, Profile<'_>)| {
                !profile.numbers && !profile.marks && !same_division(table, column, *other, &rows)
            };
            let others = candidates.iter().filter(is_other).map(|other| other.1);
            Ok((Label::Column(column), others.collect()))
        }
        _ => {
            groups.sort_unstable();
            groups.truncate(6);
            Ok((Label::Several(groups), Vec::new()))
        }
    }
}

/// Whether two columns divide rows into the same classes.
fn same_division(table: &Table, a: usize, b: usize, rows: &[usize]) -> bool {
    let (mut to, mut back) = (HashMap::new(), HashMap::new());
    rows.iter().all(|&row| {
        let (a, b) = (table.cell(row, a), table.cell(row, b));
        *to.entry(a).or_insert(b) == b && *back.entry(b).or_insert(a) == a
    })
}

/// Labels as columns of 0 and 1 with one 1 a row.
fn one_hot(
    table: &Table,
    marks: &[usize],
    rows: &[usize],
    others: usize,
) -> Result<Option<Label>, String> {
    let marked = |row: usize| {
        let ones = marks
            .iter()
            .filter(|&&c| truth(table.cell(row, c)) == Some(true));
        ones.count()
    };
    let (mut several, mut one) = (0, 0);
    for &row in rows {
        match marked(row) {
            0 => {}
            1 => one += 1,
            _ => several += 1,
        }
    }
    if several == 0 {
        return Ok((one > 0).then(|| Label::OneHot(marks.to_vec())));
    }
    if others > 0 {
        // Properties beside a column of labels.
        return Ok(None);
    }
    let names: Vec<&str> = marks.iter().map(|&c| table.columns[c].as_str()).collect();
    Err(format!(
        "gives {several} of {} images several labels (columns {}); one label an image is needed",
        rows.len(),
        crate::data::labelling::list(&names)
    ))
}

/// Whether a column that is called by several (`tags`) has cells most of which have all words of another one and more:
/// `clear primary` and `clear primary water`.
fn are_nested(column: &str, values: &HashMap<&str, usize>, lists: &[&str]) -> bool {
    const SEVERAL: [&str; 7] = [
        "tags",
        "labels",
        "classes",
        "attributes",
        "genres",
        "keywords",
        "findings",
    ];
    // Enough to tell, of a table with thousands of combinations.
    const MOST: usize = 300;
    let is_several = |word: &String| SEVERAL.contains(&word.as_str());
    if !crate::data::parts::words(column).iter().any(is_several) {
        return false;
    }
    let words = |cell: &&str| -> HashSet<String> {
        cell.split_whitespace().map(str::to_lowercase).collect()
    };
    let all: Vec<HashSet<String>> = values.keys().take(MOST).map(words).collect();
    let is_nested = |own: &HashSet<String>| {
        all.iter()
            .any(|other| other != own && (other.is_subset(own) || own.is_subset(other)))
    };
    let lists: Vec<HashSet<String>> = lists.iter().take(MOST).map(words).collect();
    let nested = lists.iter().filter(|own| is_nested(own)).count();
    nested > 1 && nested * 2 >= lists.len()
}

/// Refuses a column of lists: `cat|dog`, `haze primary`.
pub(super) fn refuse_several(table: &Table, column: usize) -> Result<(), String> {
    let rows: Vec<usize> = sample(table).collect();
    let values = profile(table, column, &rows).counts;
    let several = |example: &str| {
        let example: String = example.chars().take(60).collect();
        Err(format!(
            "gives images several labels (\u{201c}{example}\u{201d} in the column \u{201c}{}\u{201d}); one label an image is needed",
            table.columns[column]
        ))
    };
    // A list as JSON has it, in a cell: `["cat", "dog"]`, `{"choices": ["cat", "dog"]}`.
    let is_json =
        |v: &&&str| v.starts_with("[\"") || v.starts_with("['") || v.starts_with("{\"choices\"");
    if let Some(example) = values.keys().filter(is_json).min() {
        return several(example);
    }
    for separator in ['|', ';', ',', ' '] {
        let lists: Vec<&str> = values
            .keys()
            .copied()
            .filter(|v| v.trim().contains(separator))
            .collect();
        if lists.is_empty() {
            continue;
        }
        let atoms: HashSet<&str> = values
            .keys()
            .flat_map(|v| v.split(separator))
            .map(str::trim)
            .filter(|a| !a.is_empty())
            .collect();
        // The same words again and again in other company, or words that stand alone elsewhere.
        let alone = lists
            .iter()
            .filter(|list| {
                let mut atoms = list
                    .split(separator)
                    .map(str::trim)
                    .filter(|a| !a.is_empty());
                atoms.all(|a| values.contains_key(a))
            })
            .count();
        let is_nested = separator == ' ' && are_nested(&table.columns[column], &values, &lists);
        let recombined = atoms.len() * 3 < values.len() * 2 && lists.len() * 2 > values.len();
        let are_numbers = atoms.iter().all(|a| a.parse::<u64>().is_ok());
        let is_list = match separator {
            '|' | ';' => true,
            // `16 0`: numbers of several labels.
            _ if are_numbers => true,
            // `ice`, `cream` and `ice cream` may be three classes.
            ' ' => recombined || is_nested || (alone * 2 >= lists.len() && alone > 1),
            _ => recombined || (alone * 2 >= lists.len() && alone > 0),
        };
        if is_list {
            return several(lists.iter().min().copied().unwrap_or_default());
        }
    }
    Ok(())
}
