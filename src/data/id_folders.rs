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
    let is_date = |name: &String| {
        let digits = name.chars().filter(|&c| is_digits(c)).count();
        let year = name.get(..4).and_then(|year| year.parse::<u32>().ok());
        digits >= 8
            && name.chars().all(|c| is_digits(c) || "-_. ".contains(c))
            && year.is_some_and(|year| (1900..2100).contains(&year))
    };
    if names.iter().all(is_date) {
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
        assert!(look("2021-05-03 2021-05-04 2021-05-05 2021-06-01"));
        for names in [
            "0 1 2 3",
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
