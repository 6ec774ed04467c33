//! Folders that are called like patients, sessions or dates: whose images lie in them, not what the images show. Taken
//! for classes in silence, a model would learn to tell patients apart.

use super::labelling::list;
use super::parts::words;

/// Words before a number that are those of classes.
const CLASSES: [&str; 22] = [
    "class", "classe", "klasse", "clase", "label", "category", "cat", "grade", "stage", "level",
    "type", "kind", "digit", "group", "cluster", "species", "c", "n", "score", "step", "size",
    "number",
];

/// Fewest folders of one word and a number that are remarked upon.
const FEWEST: usize = 4;

/// Whether the names of classes are all one word and a number (`patient_001`), or all dates.
pub(super) fn look_like_ids(names: &[String]) -> bool {
    if names.len() < FEWEST {
        return false;
    }
    let is_digits = |c: char| c.is_ascii_digit();
    if names.iter().all(|name| is_date(name) || is_hash(name)) || are_numbered(names) {
        return true;
    }
    let stem = |name: &str| {
        let ends = name.ends_with(is_digits);
        ends.then(|| words(name)).filter(|words| words.len() == 1)
    };
    let Some(first) = stem(&names[0]) else {
        return false;
    };
    !CLASSES.contains(&first[0].as_str())
        && names.iter().all(|name| stem(name).as_ref() == Some(&first))
        // WordNet's numbers.
        && !(first[0].len() == 1 && names.iter().all(|name| name.len() >= 9))
}

/// Whether a name is made by a program, so that no two are the same: 16 hexadecimal digits or more, of letters and
/// numbers, as in a UUID.
fn is_hash(name: &str) -> bool {
    let digits: Vec<char> = name.chars().filter(|c| *c != '-').collect();
    digits.len() >= 16
        && digits.iter().all(char::is_ascii_hexdigit)
        && digits.iter().any(char::is_ascii_digit)
        && digits.iter().any(char::is_ascii_alphabetic)
}

/// Whether names differ in long numbers alone: `OAS1_0001_MR1`, `TCGA_CS_4941_19960909`. Four digits may be a year
/// unless they begin with 0.
fn are_numbered(names: &[String]) -> bool {
    let bare = |name: &str| name.replace(|c: char| c.is_ascii_digit(), "");
    let first = bare(&names[0]);
    let is_long = |name: &String| {
        let mut groups = name.split(|c: char| !c.is_ascii_digit());
        groups.any(|group| group.len() > 4 || (group.len() == 4 && group.starts_with('0')))
    };
    let is_class = |word: &String| CLASSES.contains(&word.as_str());
    // One letter before the number: WordNet's.
    first.chars().filter(|c| c.is_alphabetic()).count() > 1
        && !words(&first).iter().any(is_class)
        && names
            .iter()
            .all(|name| bare(name) == first && is_long(name))
}

/// The beginnings of the names of months, in English, German, French, Spanish, Italian and Portuguese.
const MONTHS: [&str; 36] = [
    "jan", "jän", "ene", "gen", "feb", "fév", "fev", "mar", "mär", "apr", "avr", "abr", "may",
    "mai", "mag", "jun", "juin", "giu", "jul", "juil", "lug", "aug", "aoû", "ago", "sep", "set",
    "oct", "okt", "ott", "out", "nov", "dec", "dez", "déc", "dic", "mrz",
];

/// Whether a name is a date: `2021-05-03`, `20210503`, `03.05.2021`, `3-5-2021`, `2021-01`, `May 2021`. A year alone is
/// none: coins and cars have them.
fn is_date(name: &str) -> bool {
    let groups: Vec<&str> = name
        .split(|c: char| "-_., /".contains(c))
        .filter(|group| !group.is_empty())
        .collect();
    let number = |text: &str| text.parse::<u32>().unwrap_or(0);
    let is_year = |text: &&str| text.len() == 4 && (1900..2100).contains(&number(text));
    let is_number = |text: &&str| text.bytes().all(|b| b.is_ascii_digit());
    // `20210503` and what comes after, as `20210503_1200`.
    let is_glued = |text: &&str| {
        let (year, month) = (text.get(..4), text.get(4..6).map(number));
        text.len() >= 6
            && year.is_some_and(|year| is_year(&year))
            && month.is_some_and(|month| (1..=12).contains(&month))
    };
    let (numbers, others): (Vec<&str>, Vec<&str>) = groups.into_iter().partition(is_number);
    match others[..] {
        [] => match &numbers[..] {
            [first, ..] if is_glued(first) => true,
            [year, month] if is_year(year) => (1..=12).contains(&number(month)),
            [month, year] if is_year(year) => (1..=12).contains(&number(month)),
            [a, b, c, ..] => {
                let day = |a, b| {
                    (1..=12).contains(&number(a).min(number(b))) && number(a).max(number(b)) <= 31
                };
                (is_year(a) && day(b, c)) || (is_year(c) && day(a, b))
            }
            _ => false,
        },
        [month] => {
            let month = month.to_lowercase();
            let is_month =
                MONTHS.iter().any(|m| month.starts_with(m)) && month.chars().count() <= 10;
            is_month && numbers.iter().filter(|text| is_year(text)).count() == 1
        }
        _ => false,
    }
}

/// A sentence about classes that look like that.
pub(super) fn note(names: &[String]) -> Option<String> {
    look_like_ids(names).then(|| {
        let mut names = names.to_vec();
        names.sort_unstable();
        format!(
            "The classes are named like patients, persons, sessions or dates: {}. If they say whose images they are and not what these show, the classes are elsewhere: put each class's images in a folder of its own.",
            list(&names)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::look_like_ids;

    #[test]
    fn ids_are_one_word_and_a_number_or_dates() {
        let look =
            |names: &str| look_like_ids(&names.split(' ').map(str::to_owned).collect::<Vec<_>>());
        assert!(look("p0 p1 p2 p3"));
        assert!(look("patient_001 patient_002 patient_003 patient_010"));
        for dates in [
            "2021-05-03 2021-05-04 2021-05-05 2021-06-01",
            "20210503 20210504 20210505 20210601",
            "20210503_1200 20210503_1300 20210505_0900 20210601_0900",
            "2021-01 2021-02 2021-03 2021-12",
            "01-2021 02-2021 03-2021 12-2021",
            "03.05.2021 04.05.2021 5.5.2021 31.12.2021",
            "3-5-2021 4-5-2021 12-31-2021 5-5-2021",
            "May_2021 June_2021 2020-Dec 3.Mai.2021",
        ] {
            assert!(look(dates), "{dates}");
        }
        assert!(look(
            "OAS1_0001_MR1 OAS1_0002_MR1 OAS1_0003_MR2 OAS1_0010_MR1"
        ));
        assert!(look(
            "TCGA_CS_4941_19960909 TCGA_CS_4942_19970222 TCGA_CS_4943_20000902 TCGA_CS_4944_20010208"
        ));
        assert!(look(
            "0b5a2e1f44d9c7a83b21 1f0e9d8c7b6a59483726 9a8b7c6d5e4f30211203 c0ffee00c0ffee001234"
        ));
        for names in [
            "0 1 2 3",
            "class_00001 class_00002 class_00003 class_00004",
            "1234567890123456 2234567890123456 3234567890123456 4234567890123456",
            "deadbeefdeadbeef facefacefaceface beadbeadbeadbead cafecafecafecafe",
            "1999 2000 2001 2002",
            "marten_2021 owl_2021 decoy_a mayfly",
            "13.2021 14.2021 15.2021 16.2021",
            "2021-13 2021-14 2021-15 2021-16",
            "class_1 class_2 class_3 class_4",
            "n01440764 n01443537 n01484850 n01491361",
            "c0 c1 c2 c3",
            "p0 p1 p2",
            "cat1 dog2 eel3 fox4",
            "001.Albatross 002.Auklet 003.Wren 004.Gull",
        ] {
            assert!(!look(names), "{names}");
        }
    }
}
