//! What the names of the classes of one data set say of each other: the same in another spelling, a part and a class
//! at once, two classes in one.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::labelling::{Labelling, list};
use super::parts::{names_thing, residue, said};
use crate::protocol::Part;

/// What is the same for names that differ in case, blanks, underscores and hyphens alone.
pub(super) fn squeezed(name: &str) -> String {
    let mut out = String::new();
    // The hyphen before a number is its sign.
    if name.starts_with('-') && name.parse::<f64>().is_ok() {
        return name.to_owned();
    }
    for word in name
        .split(|c: char| c.is_whitespace() || c == '_' || c == '-')
        .filter(|w| !w.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

/// What a copy of a folder is called by the systems that make it, at the end or at the beginning, squeezed.
const COPIES: [&str; 16] = [
    "copy",
    "kopie",
    "copie",
    "copia",
    "cópia",
    "kopia",
    "kopya",
    "копия",
    "copy of",
    "kopie von",
    "copie de",
    "copia de",
    "cópia de",
    "副本",
    "コピー",
    "복사본",
];

/// What copies that a program made of images are called: words that are hardly a part of what an image shows.
pub(super) const MADE: [&str; 21] = [
    "aug",
    "augmented",
    "augmentation",
    "augmentations",
    "flip",
    "flipped",
    "hflip",
    "vflip",
    "rotated",
    "rotate",
    "mirrored",
    "resized",
    "cropped",
    "blurred",
    "blur",
    "zoom",
    "zoomed",
    "rotation",
    "rotations",
    "original",
    "originals",
];

/// What a new folder is called by the systems that make it, squeezed.
const UNNAMED: [&str; 22] = [
    "new folder",
    "untitled folder",
    "neuer ordner",
    "ordner ohne titel",
    "unbenannter ordner",
    "nouveau dossier",
    "dossier sans titre",
    "nueva carpeta",
    "carpeta sin título",
    "nova pasta",
    "pasta sem título",
    "nuova cartella",
    "cartella senza nome",
    "nieuwe map",
    "naamloze map",
    "nowy folder",
    "yeni klasör",
    "новая папка",
    "新建文件夹",
    "新增資料夾",
    "新しいフォルダー",
    "새 폴더",
];

/// A squeezed name without the number of a copy: `cat` of `cat (2)`, and where `bare` is asked for, of `cat 2`.
fn without_number(name: &str, bare: bool) -> &str {
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let found = name.rsplit_once(' ').map_or_else(
        || name.rfind('(').map(|at| name.split_at(at)),
        |(rest, last)| Some((rest, last)),
    );
    match found {
        Some((rest, last)) if !rest.is_empty() => {
            let inner = last.strip_prefix('(').and_then(|l| l.strip_suffix(')'));
            let is_number = inner.is_some_and(is_digits) || (bare && is_digits(last));
            if is_number { rest.trim_end() } else { name }
        }
        _ => name,
    }
}

/// What a squeezed name is a copy of, by its own words: `cat` of `cat copy`, `copy of cat`, `cat (1)`, `aug cat`.
fn original(name: &str) -> Option<&str> {
    let without = |name: &'_ str| -> Option<(usize, usize)> {
        let marks = COPIES.iter().chain(&MADE);
        let mut found = marks.filter_map(|mark| {
            let before = name.strip_suffix(mark).filter(|rest| rest.ends_with(' '));
            let after = name.strip_prefix(mark).filter(|rest| rest.starts_with(' '));
            match (before, after) {
                (Some(rest), _) => Some((0, rest.trim_end().len())),
                (None, Some(rest)) => Some((name.len() - rest.trim_start().len(), name.len())),
                (None, None) => None,
            }
        });
        // The longest mark: `copy of` before `copy`.
        found.by_ref().min_by_key(|(from, to)| to - from)
    };
    let unnumbered = without_number(name, false);
    let numbered = without_number(name, true);
    [unnumbered, numbered]
        .into_iter()
        .find_map(|name| without(name).map(|(from, to)| &name[from..to]))
        .or_else(|| (unnumbered.len() < name.len()).then_some(unnumbered))
        .filter(|rest| !rest.is_empty())
}

/// Whether a folder is called as systems call a new one: nobody gave it a name.
fn is_unnamed(name: &str) -> bool {
    let name = squeezed(name);
    UNNAMED.contains(&without_number(&name, true))
}

/// A sentence about classes that are called like folders nobody named.
pub(super) fn unnamed_note(names: &[String]) -> Option<String> {
    let unnamed: Vec<&String> = names.iter().filter(|name| is_unnamed(name)).collect();
    match &unnamed[..] {
        [] => None,
        [one] => Some(format!(
            "The class \u{201c}{one}\u{201d} is called like a folder that nobody named: give it the name of what its images show, or take it away."
        )),
        several => Some(format!(
            "The classes {} are called like folders that nobody named: give them the names of what their images show, or take them away.",
            list(several)
        )),
    }
}

impl Labelling {
    /// Names that differ in case, blanks, underscores, hyphens and the marks of a copy alone (`cat` and `cat - Copy`),
    /// the most frequent one first; in alphabetical order.
    pub(super) fn similar(&self) -> Vec<Vec<u32>> {
        let mut groups: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        let all: Vec<String> = self.names.iter().map(|name| squeezed(name)).collect();
        let known: BTreeSet<&str> = all.iter().map(String::as_str).collect();
        for (number, name) in all.iter().enumerate() {
            let copied = original(name).filter(|o| known.contains(o) && !is_unnamed(o));
            let key = copied.unwrap_or(name).to_owned();
            groups.entry(key).or_default().push(number as u32);
        }
        let counts = self.counts();
        let mut groups: Vec<_> = groups.into_values().filter(|g| g.len() > 1).collect();
        for group in &mut groups {
            group.sort_by(|&a, &b| {
                let [a, b] = [a as usize, b as usize];
                (counts[b][0].cmp(&counts[a][0])).then_with(|| self.names[a].cmp(&self.names[b]))
            });
        }
        groups
    }

    /// A sentence about classes whose names are made of those of others (`cat dog` beside `cat` and `dog`): their
    /// images may show both, which one label an image cannot say.
    pub(super) fn combined_note(&self) -> Option<String> {
        let words = |name: &str| -> Vec<String> {
            name.split(|c: char| c.is_whitespace() || "_-+&,|".contains(c))
                .map(str::to_lowercase)
                .filter(|w| !w.is_empty() && !["and", "und", "et", "y"].contains(&w.as_str()))
                .collect()
        };
        let known: HashMap<String, &str> = (self.names.iter())
            .map(|name| (words(name).join(" "), name.as_str()))
            .collect();
        let mut combined: Vec<(&str, Vec<&str>)> = self
            .names
            .iter()
            .filter_map(|name| Some((name.as_str(), parts_of(&words(name), &known, true)?)))
            .collect();
        combined.sort_unstable();
        let texts: Vec<String> = combined
            .iter()
            .map(|(name, parts)| {
                let parts: Vec<String> = parts
                    .iter()
                    .map(|part| format!("\u{201c}{part}\u{201d}"))
                    .collect();
                format!("\u{201c}{name}\u{201d} ({})", parts.join(" and "))
            })
            .collect();
        match &texts[..] {
            [] => None,
            [one] => Some(format!(
                "By its name the class {one} may hold images of both; it is taken for a class of its own."
            )),
            several => Some(format!(
                "By their names the classes {} may hold images of several classes; each is taken for a class of its own.",
                list(several)
            )),
        }
    }
}

/// The classes that words are made of, two at least if `several`.
fn parts_of<'a>(
    words: &[String],
    known: &HashMap<String, &'a str>,
    several: bool,
) -> Option<Vec<&'a str>> {
    // Longer names than any of a class that is made of two.
    if words.len() > 12 {
        return None;
    }
    let most = words.len().saturating_sub(usize::from(several));
    (1..=most).rev().find_map(|end| {
        let first = *known.get(&words[..end].join(" "))?;
        if end == words.len() {
            return Some(vec![first]);
        }
        let mut parts = parts_of(&words[end..], known, false)?;
        parts.insert(0, first);
        Some(parts)
    })
}

/// Whether names of classes say parts too: all of them, of several parts (`train_cat`, `train_dog`, `test_cat`); or some
/// beside others (`cat`, `dog`, `cat_test`, `dog_test`). A steam train and a test tube do not. Where the classes are
/// `in_parts` already, a class may be called `train`: then the same classes must be there in each part that they say.
pub(super) fn names_say_parts(names: &[String], in_parts: bool) -> bool {
    all_say_parts(names, in_parts) || some_say_parts(names)
}

fn some_say_parts(names: &[String]) -> bool {
    let mut parts: BTreeMap<String, BTreeSet<Part>> = BTreeMap::new();
    let mut plain: BTreeSet<String> = BTreeSet::new();
    for name in names {
        match (said(name), residue(name)) {
            (_, rest) if rest.is_empty() => {}
            (Some(said), rest) => drop(parts.entry(rest).or_default().insert(said.part)),
            (None, rest) => drop(plain.insert(rest)),
        }
    }
    let twice = parts.values().any(|parts| parts.len() > 1);
    let beside = parts.keys().filter(|rest| plain.contains(*rest)).count();
    twice || beside > 1
}

fn all_say_parts(names: &[String], in_parts: bool) -> bool {
    let mut classes: BTreeMap<Part, BTreeSet<String>> = BTreeMap::new();
    for name in names {
        let Some(said) = said(name).filter(|_| !names_thing(name)) else {
            return false;
        };
        classes.entry(said.part).or_default().insert(residue(name));
    }
    let mut classes = classes.values();
    let first = classes.next();
    classes.len() > 0 && (!in_parts || classes.all(|others| Some(others) == first))
}

/// A sentence about labels that are nearly the same, where nobody can be asked.
pub(super) fn similar_note(labelling: &Labelling) -> Option<String> {
    let groups = labelling.similar();
    let first = groups.first()?;
    let names: Vec<String> = first
        .iter()
        .map(|&n| format!("\u{201c}{}\u{201d}", labelling.names[n as usize]))
        .collect();
    Some(format!(
        "{} are classes of their own, though their names are nearly the same{}.",
        names.join(" and "),
        if groups.len() > 1 {
            ", and so are others"
        } else {
            ""
        }
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_told_by_the_words_that_systems_give_them() {
        let of = |name: &str| original(&squeezed(name)).map(str::to_owned);
        for name in [
            "cat - Copy",
            "cat - Copy (2)",
            "cat copy 2",
            "Copy of cat",
            "cat (1)",
            "cat_(2)",
            "cat(3)",
            "cat - Kopie",
            "Kopie von cat",
            "Copia de cat",
            "Copie de cat",
            "cat_aug",
            "aug_cat",
            "cat augmented",
            "cat_flipped",
            "flip_cat",
            "cat rotated",
        ] {
            assert_eq!(of(name).as_deref(), Some("cat"), "{name}");
        }
        for name in [
            "cat",
            "cat 2",
            "copy",
            "aug",
            "photocopy",
            "cat rot",
            "august",
            "(1)",
            "1 (a)",
        ] {
            assert_eq!(of(name), None, "{name}");
        }
        for name in [
            "New folder",
            "New folder (2)",
            "untitled folder 3",
            "Neuer Ordner",
        ] {
            assert!(is_unnamed(name), "{name}");
        }
        assert!(!is_unnamed("folder") && !is_unnamed("new"));
    }

    #[test]
    fn names_made_of_others_are_told() {
        let note = |names: &[&str]| {
            let mut found = Labelling::default();
            for name in names {
                found.class(name);
            }
            found.combined_note()
        };
        for both in [
            "cat dog",
            "Cat_Dog",
            "cat+dog",
            "cat & dog",
            "dog and cat",
            "dog-cat",
        ] {
            let text = note(&["cat", both, "dog"]).expect(both);
            assert!(
                text.contains(&format!("the class \u{201c}{both}\u{201d} (\u{201c}"))
                    && text.contains("may hold images of both"),
                "{text}"
            );
        }
        let text = note(&["hair seal", "cat", "hair seal_cat", "cat cat dog", "dog"]).expect("two");
        assert!(
            text.contains("(\u{201c}hair seal\u{201d} and \u{201c}cat\u{201d})"),
            "{text}"
        );
        assert!(text.contains("several classes"), "{text}");
        for names in [
            &["cat", "dog"][..],
            &["ice", "ice cream"],
            &["cat dog", "cat"],
            &["a b"],
        ] {
            assert_eq!(note(names), None, "{names:?}");
        }
    }
}
