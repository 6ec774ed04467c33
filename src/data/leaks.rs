//! Identical images, and where they make a figure wrong: among those to train on and those to measure on, or
//! under two labels.

use std::collections::{BTreeSet, HashMap};

use super::dataset::Sample;
use super::labelling::many;
use crate::protocol::{Leak, LeakKind, Part};

/// Groups that are listed.
const LISTED: usize = 1000;
/// Files of a group that are listed.
const FILES: usize = 100;

/// Groups of equal contents, each ascending, in the order of their first members.
pub(super) fn duplicates(contents: impl Iterator<Item = Option<u64>>) -> Vec<Vec<usize>> {
    let mut first: HashMap<u64, usize> = HashMap::new();
    let mut groups: HashMap<usize, Vec<usize>> = HashMap::new();
    for (i, content) in contents.enumerate() {
        let Some(content) = content else { continue };
        match first.get(&content) {
            Some(&begin) => groups.entry(begin).or_insert_with(|| vec![begin]).push(i),
            None => {
                first.insert(content, i);
            }
        }
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_unstable();
    groups
}

/// What duplicates do, with a sentence about each kind.
pub(super) fn leaks(
    samples: &[Sample],
    duplicates: &[Vec<usize>],
    notes: &mut Vec<String>,
) -> Vec<Leak> {
    let mut leaks = Vec::new();
    let (mut with_test, mut with_validation, mut labels) = (0, 0, 0);
    for group in duplicates {
        let members: Vec<&Sample> = group
            .iter()
            .filter_map(|&i| samples.get(i))
            .filter(|s| s.subset != Part::Unlabelled)
            .collect();
        let parts: BTreeSet<Part> = members.iter().map(|s| s.subset).collect();
        let classes: BTreeSet<usize> = members.iter().filter_map(|s| s.class).collect();
        let mut add = |kind| {
            if leaks.len() < LISTED {
                leaks.push(Leak {
                    kind,
                    files: members.iter().take(FILES).map(|s| s.path.clone()).collect(),
                });
            }
        };
        if parts.contains(&Part::Train) && parts.len() > 1 {
            let of = |part: Part| members.iter().filter(|s| s.subset == part).count();
            with_test += of(Part::Test);
            with_validation += of(Part::Validation);
            add(LeakKind::BetweenParts);
        }
        if classes.len() > 1 {
            labels += 1;
            add(LeakKind::TwoLabels);
        }
    }
    for (n, part) in [(with_test, "test"), (with_validation, "validation")] {
        if n > 0 {
            let images = many(n, "image");
            let (are, them) = if n == 1 {
                ("is", "it")
            } else {
                ("are", "them")
            };
            notes.push(format!(
                "{images} of the {part} set {are} also among those to train on: the accuracy measured on {them} will be too high."
            ));
        }
    }
    if labels > 0 {
        let text = if labels == 1 {
            "1 image is there several times under different labels: at least one label is wrong."
                .to_owned()
        } else {
            format!(
                "{labels} images are there several times under different labels: at least one label of each is wrong."
            )
        };
        notes.push(text);
    }
    leaks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_come_in_the_order_of_their_first_members() {
        let contents = [7, 5, 7, 9, 5, 7].map(Some);
        assert_eq!(
            duplicates(contents.into_iter().chain([None, None])),
            [vec![0, 2, 5], vec![1, 4]]
        );
    }
}
