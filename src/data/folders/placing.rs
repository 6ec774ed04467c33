//! Which class and part the folders give each image, once it is known at which level the classes lie.

use std::collections::{BTreeMap, BTreeSet};

use super::{Folders, Leaf, NO_CLASS, UNSORTED};
use crate::data::labelling::{Labelling, Spot, list};
use crate::protocol::Part;

impl Folders<'_> {
    /// Where each image belongs with the class at a level (from 1); with none, to parts alone.
    pub(super) fn labelling(&self, level: Option<usize>) -> Labelling {
        const OUTSIDE: &str = "lies outside the folders for training, validation and test";
        let mut found = Labelling {
            notes: self.notes.clone(),
            parts: self.parts_of_images(),
            named: self.named(),
            ..Labelling::default()
        };
        let has_training = self.has_training();
        let mut of_leaf = Vec::with_capacity(self.leaves.len());
        let (mut outside, mut unsorted) = (0, 0);
        let parts_in_classes = self.tree.has_parts_in_classes();
        let mut undivided = Vec::new();
        let mut merged = Vec::new();
        let mut parent_of_class: Vec<Vec<usize>> = Vec::new();
        let smallest = level.map(|level| self.smallest_classes_below(level));
        let smallest = smallest.unwrap_or_default();
        let mut heaps: BTreeSet<&str> = BTreeSet::new();
        for leaf in &self.leaves {
            let mut folder = level.and_then(|level| class_of(leaf, level));
            if let Some(own) = folder
                && leaf.rest.last() == Some(&own)
                && let Some(&fewest) = smallest.get(&own)
            {
                // A few pictures beside class folders, or a class with more folders in it.
                if leaf.images < fewest {
                    folder = None;
                } else {
                    heaps.insert(self.tree.nodes[own].name);
                }
            }
            let part = match leaf.part {
                // `dog/0.jpg` beside `cat/train/0.jpg` and `cat/test/1.jpg`.
                None if has_training && parts_in_classes && folder.is_some() => {
                    undivided.extend(folder.map(|folder| self.tree.nodes[folder].name));
                    Part::Train
                }
                None if has_training => {
                    outside += leaf.images;
                    of_leaf.push(Spot::Out(OUTSIDE.into(), false));
                    continue;
                }
                part => part.unwrap_or(Part::Train),
            };
            let class = folder.filter(|_| part != Part::Unlabelled).map(|folder| {
                let class = found.class(self.tree.nodes[folder].name);
                let outer = self.outer_of(leaf, folder);
                parent_of_class.resize(found.names.len(), Vec::new());
                let parents = &mut parent_of_class[class as usize];
                if !parents.contains(&outer) && parents.len() < 50 {
                    parents.push(outer);
                    if parents.len() == 2 {
                        merged.push(class);
                    }
                }
                class
            });
            of_leaf.push(match class {
                Some(_) => Spot::In(part, class),
                None if !self.parts && level.is_some() => Spot::Out(NO_CLASS.into(), false),
                None => {
                    if part == Part::Train && level.is_some() && self.parts {
                        unsorted += leaf.images;
                    }
                    Spot::In(
                        if level.is_some() {
                            Part::Unlabelled
                        } else {
                            part
                        },
                        None,
                    )
                }
            });
        }
        if outside > 0 {
            found.notes.push(format!(
                "{} outside the folders for training, validation and test and {} left out.",
                lie(outside),
                if outside == 1 { "is" } else { "are" }
            ));
        }
        if !undivided.is_empty() {
            undivided.dedup();
            found.notes.push(format!(
                "Folders for training and test lie in some classes alone; the images of the others are for training: {}.",
                list(&undivided)
            ));
        }
        if unsorted > 0 {
            found.notes.push(format!(
                "{} {UNSORTED} and {} not trained on.",
                lie(unsorted),
                if unsorted == 1 { "is" } else { "are" }
            ));
        }
        if !heaps.is_empty() {
            let heaps: Vec<&str> = heaps.into_iter().collect();
            found.notes.push(format!(
                "Some folders hold images of their own beside class folders; those images are a class of that name: {}.",
                list(&heaps)
            ));
        }
        if !merged.is_empty() {
            let names: Vec<&str> = merged
                .iter()
                .map(|&c| found.names[c as usize].as_str())
                .collect();
            found.notes.push(format!(
                "Folders of one name under different folders are one class: {}.",
                list(&names)
            ));
        }
        found.spots = self
            .folder_of
            .iter()
            .map(|&node| match self.leaf_of[node] {
                Some(leaf) => of_leaf[leaf].clone(),
                None => Spot::Folder,
            })
            .collect();
        let loose = |spot: &&Spot| matches!(spot, Spot::Out(reason, _) if reason == NO_CLASS);
        let loose = found.spots.iter().filter(loose).count();
        let counts = found.counts();
        let smallest = counts.iter().map(|c| c.iter().sum::<usize>()).min();
        if loose > 1 && smallest.is_some_and(|smallest| loose >= smallest) {
            found.notes.push(format!(
                "{} beside the class folders, in no class, and are left out.",
                lie(loose)
            ));
        }
        found
    }

    /// Of each folder that lies above class folders at a level (from 1), the images of the smallest of these.
    fn smallest_classes_below(&self, level: usize) -> BTreeMap<usize, usize> {
        let mut images: BTreeMap<&[usize], usize> = BTreeMap::new();
        for leaf in self.leaves.iter().filter(|l| l.rest.len() >= level) {
            *images.entry(&leaf.rest[..level]).or_default() += leaf.images;
        }
        let mut smallest = BTreeMap::new();
        for (folders, images) in images {
            for &above in &folders[..level - 1] {
                let known = smallest.entry(above).or_insert(images);
                *known = images.min(*known);
            }
        }
        smallest
    }

    /// Whether a part is for training; else what lies in no part is.
    fn has_training(&self) -> bool {
        self.leaves.iter().any(|l| l.part == Some(Part::Train))
    }

    /// The folder that a class's folder lies in, of those that are neither parts nor wrapping.
    fn outer_of(&self, leaf: &Leaf, folder: usize) -> usize {
        let place = leaf.rest.iter().position(|&n| n == folder).unwrap_or(0);
        // The same folder below two parts is one: compared by name.
        let outer = place
            .checked_sub(1)
            .map(|p| self.tree.nodes[leaf.rest[p]].name);
        outer.map_or(0, |name| self.tree.number_of_name(name))
    }
}

/// The folder of a leaf's class at a level (from 1): a leaf that is not so deep has its innermost one that says
/// something; one whose folders are all of no meaning has none.
fn class_of(leaf: &Leaf, level: usize) -> Option<usize> {
    if leaf.kept.is_empty() && !leaf.rest.is_empty() && leaf.part.is_some() {
        return None;
    }
    let innermost = || leaf.kept.last().map(|&k| leaf.rest[k]);
    leaf.rest.get(level - 1).copied().or_else(innermost)
}

fn lie(n: usize) -> String {
    if n == 1 {
        "1 image lies".to_owned()
    } else {
        format!("{n} images lie")
    }
}
