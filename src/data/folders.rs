//! Labels from folders. Archives wrap, double and abbreviate folder names, so the rules stand in one place:
//!
//! - Folders that all images lie in are wrapping and mean nothing, whatever they are called.
//! - Folders of masks or annotations beside folders of photos are left out.
//! - A folder named like a part (`train`, `test_images`) is one if its siblings are parts too or classes lie
//!   below it; else it is a class like any other.
//! - Of the levels that are left, those that name kinds of images (`images`, `augmented`, `40X`) or have one
//!   name only are no classes. One level left is the class; several are a question.

mod placing;
mod questions;

use std::collections::BTreeSet;

use super::kinds::are_kinds;
use super::labelling::{Labelling, list, quoted};
use super::others::Others;
use super::parts;
use super::tree::{Role, Tree};
use crate::error::{Error, Result};
use crate::protocol::{Labels, Part};

/// Why an image beside class folders is left out.
pub(super) const NO_CLASS: &str = "lies in no class folder";

/// In the note on images that are not trained on for that.
pub(super) const UNSORTED: &str = "for training in no class folder";

/// What the user says of the folders.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The level of the class, from 1.
    pub(super) level: Option<usize>,
    /// Folders that are parts.
    pub(super) parts: Vec<(String, Part)>,
}

impl Asked {
    /// Whether the user says the part of the folders of this name.
    fn names(&self, folder: &str) -> bool {
        let same = |(name, _): &(String, Part)| name.to_lowercase() == folder.to_lowercase();
        self.parts.iter().any(same)
    }
}

/// A way to read the folders.
pub(super) struct Way {
    /// What to ask for to get it.
    pub(super) labels: Labels,
    /// In words.
    pub(super) text: String,
    /// As flags.
    pub(super) flags: String,
    /// What it gives.
    pub(super) labelling: Labelling,
}

/// What the folders say.
pub(super) enum Found {
    /// The classes, beyond doubt.
    Classes(Box<Way>),
    /// Ways to choose from, and the question.
    Several(Vec<Way>, String),
    /// No classes: parts at most. The class is elsewhere, or what it says in `instead`.
    None {
        /// The parts without classes.
        labelling: Labelling,
        /// All images lie in one folder, which may be meant for a class.
        single: Option<Box<Way>>,
        /// Folders that might be classes all the same, and the question.
        doubtful: Option<(Box<Way>, String)>,
    },
}

/// A folder that images lie in.
struct Leaf {
    images: usize,
    part: Option<Part>,
    /// Whether the user named the folder that says it.
    is_named: bool,
    /// Folders between wrapping and image that are no parts, outermost first.
    rest: Vec<usize>,
    /// Those of them that may be classes, as places in `rest`.
    kept: Vec<usize>,
}

/// The folders of one data set.
pub(super) struct Folders<'a> {
    tree: Tree<'a>,
    /// The folder of each image.
    folder_of: Vec<usize>,
    leaves: Vec<Leaf>,
    /// The leaf of a node, where it is one.
    leaf_of: Vec<Option<usize>>,
    /// Whether there are parts.
    parts: bool,
    asked: Asked,
    notes: Vec<String>,
    /// Folders that are no classes, since they tell kinds of images apart.
    kinds: BTreeSet<String>,
    /// Names of sibling folders of the parts that hold the same classes.
    unknown: Vec<String>,
}

impl<'a> Folders<'a> {
    /// Looks at the paths of all images, beside which `others` lie.
    pub(super) fn of(paths: &'a [String], asked: Asked, others: &Others) -> Self {
        let (mut tree, folder_of) = Tree::of(paths, others);
        tree.hold_named(&asked.parts);
        tree.leave_out_masks();
        tree.find_parts(&asked.parts);
        let level = asked.level;
        let unknown = tree.unknown_parts();
        let folders = Self::with(tree, folder_of, asked);
        // Whoever asks for a level of classes, where there are parts alone, means those.
        if level.is_some() && folders.depth() == 0 && !folders.tree.doubtful.is_empty() {
            return folders.without_doubtful_parts();
        }
        Self { unknown, ..folders }
    }

    /// The folders of a tree in which parts and masks are known.
    fn with(tree: Tree<'a>, folder_of: Vec<usize>, asked: Asked) -> Self {
        let mut folders = Self {
            leaves: Vec::new(),
            leaf_of: vec![None; tree.nodes.len()],
            folder_of,
            parts: tree.nodes.iter().any(|n| matches!(n.role, Role::Part(_))),
            asked,
            notes: Vec::new(),
            kinds: BTreeSet::new(),
            unknown: Vec::new(),
            tree,
        };
        folders.find_leaves();
        folders.find_levels();
        folders
    }

    /// The same with those folders as classes that are parts by a word in their names alone.
    fn without_doubtful_parts(&self) -> Self {
        let mut tree = self.tree.clone();
        tree.forget_doubtful_parts();
        Self {
            notes: self.notes.clone(),
            ..Self::with(tree, self.folder_of.clone(), self.asked.clone())
        }
    }

    /// How deep folders lie below wrapping folders and parts.
    fn depth(&self) -> usize {
        self.leaves.iter().map(|l| l.rest.len()).max().unwrap_or(0)
    }

    fn find_leaves(&mut self) {
        for node in 0..self.tree.nodes.len() {
            let images = self.tree.nodes[node].direct;
            if images == 0 || self.tree.is_left_out(node) {
                continue;
            }
            let (mut part, mut is_named) = (None, false);
            let mut rest = Vec::new();
            let mut at = node;
            while at != self.tree.base && at != 0 {
                match self.tree.nodes[at].role {
                    Role::Part(p) if part.is_none() => {
                        part = Some(p);
                        is_named = self.asked.names(self.tree.nodes[at].name);
                    }
                    Role::Part(_) => {}
                    Role::Wrapping => {}
                    Role::Plain | Role::Mask => rest.push(at),
                }
                at = self.tree.nodes[at].parent;
            }
            rest.reverse();
            self.leaf_of[node] = Some(self.leaves.len());
            self.leaves.push(Leaf {
                images,
                part,
                is_named,
                kept: (0..rest.len()).collect(),
                rest,
            });
        }
    }

    /// Drops the levels that tell kinds of images apart, of each part and of all.
    fn find_levels(&mut self) {
        let depth = self.depth();
        let mut kinds = BTreeSet::new();
        for level in 0..depth {
            let mut all: Vec<&str> = Vec::new();
            for part in [
                None,
                Some(Part::Train),
                Some(Part::Validation),
                Some(Part::Test),
                Some(Part::Unlabelled),
            ] {
                let mut names: Vec<&str> = self
                    .leaves
                    .iter()
                    .filter(|l| l.part == part)
                    .filter_map(|l| Some(self.tree.nodes[*l.rest.get(level)?].name))
                    .collect();
                names.sort_unstable();
                names.dedup();
                if are_kinds(&names) {
                    if names.len() > 1 {
                        kinds.extend(names.iter().map(|n| (*n).to_owned()));
                    }
                    for leaf in self.leaves.iter_mut().filter(|l| l.part == part) {
                        leaf.kept.retain(|&k| k != level);
                    }
                } else {
                    all.extend(names);
                }
            }
            all.sort_unstable();
            all.dedup();
            // One name that lies below all of them tells nothing apart, unless it is all there is.
            let below_all = |l: &Leaf| l.rest.len() > level || l.kept.is_empty();
            if all.len() == 1
                && self.leaves.iter().all(below_all)
                && (0..depth).any(|l| l != level && self.is_kept(l))
            {
                for leaf in &mut self.leaves {
                    leaf.kept.retain(|&k| k != level);
                }
            }
        }
        self.kinds = kinds;
    }

    /// A sentence about levels that are passed over, which holds if others are left.
    fn note_on_kinds(&self) -> Option<String> {
        let kinds: Vec<&String> = self.kinds.iter().collect();
        (!kinds.is_empty()).then(|| {
            format!(
                "The folders {} are taken for kinds of images of a class, not for classes.",
                list(&kinds)
            )
        })
    }

    fn is_kept(&self, level: usize) -> bool {
        self.leaves.iter().any(|l| l.kept.contains(&level))
    }

    /// What the folders say.
    pub(super) fn read(mut self) -> Found {
        self.notes = self.tree.notes_on_masks();
        let flat = self.ask_for_flat_parts();
        for name in self.tree.doubtful_classes() {
            self.notes.push(format!(
                "The folder \u{201c}{name}\u{201d} is taken for a class, since classes lie beside it; by its name it may hold other images."
            ));
        }
        let masks = self.tree.doubtful_masks();
        let depth = self.depth();
        let levels: Vec<usize> = (0..depth).filter(|&l| self.is_kept(l)).collect();
        let asked: Vec<String> = masks
            .iter()
            .filter(|(_, beside_photos)| {
                *beside_photos && levels.len() == 1 && self.asked.level.is_none()
            })
            .map(|(name, _)| (*name).to_owned())
            .collect();
        for (name, _) in &masks {
            if !asked.iter().any(|a| a == name) {
                self.notes.push(format!(
                    "The folder \u{201c}{name}\u{201d} is taken for a class, since others lie beside it; by its name it may hold masks or annotations of their images. --part {}=unlabelled leaves it out.",
                    quoted(name)
                ));
            }
        }
        if let Some(level) = self.asked.level.filter(|_| depth > 0) {
            return Found::Classes(Box::new(self.way(level, self.asked.parts.clone(), None)));
        }
        if !self.unknown.is_empty() {
            return self.ask_for_parts();
        }
        match levels[..] {
            [] => self.without_classes(depth),
            [level] => {
                if let Some((ways, question)) = flat {
                    return Found::Several(ways, question);
                }
                self.notes.extend(self.note_on_kinds());
                if !asked.is_empty() {
                    return self.ask_for_masks(level + 1, &asked);
                }
                let way = self.way(level + 1, self.asked.parts.clone(), None);
                Found::Classes(Box::new(way))
            }
            _ => self.ask_for_level(&levels),
        }
    }

    /// Whether there are folders at the level that the user asks for.
    ///
    /// # Errors
    /// [`Error::Dataset`] with the levels that there are.
    pub(super) fn check_level(&self) -> Result<()> {
        let depth = self.depth();
        match self.asked.level {
            Some(level) if depth > 0 && level > depth => Err(Error::Dataset(format!(
                "there is no folder at level {level}: below wrapping folders and parts, folders lie {depth} deep at most"
            ))),
            _ => Ok(()),
        }
    }

    /// The reading with the class at a level (from 1).
    fn way(&self, level: usize, parts: Vec<(String, Part)>, text: Option<String>) -> Way {
        let labelling = self.labelling(Some(level));
        let text =
            text.unwrap_or_else(|| format!("the folder at level {level}: {}", labelling.listed()));
        let mut flags = Vec::new();
        if self.is_deep() {
            flags.push(format!("--class-level {level}"));
        }
        flags.extend(
            parts
                .iter()
                .map(|(name, part)| format!("--part {}={}", quoted(name), parts::word(*part))),
        );
        Way {
            labels: Labels::Folders {
                level: Some(level),
                merge_similar: None,
                parts,
            },
            text,
            flags: flags.join(" "),
            labelling,
        }
    }

    /// Whether there is more than one level to choose from.
    fn is_deep(&self) -> bool {
        self.leaves.iter().any(|l| l.rest.len() > 1)
    }

    /// The part that each image's folders say.
    pub(super) fn parts_of_images(&self) -> Vec<Option<Part>> {
        let part = |&node: &usize| self.leaf_of[node].and_then(|leaf| self.leaves[leaf].part);
        self.folder_of.iter().map(part).collect()
    }

    /// Whether the user said the part of each image; empty if of none.
    pub(super) fn named(&self) -> Vec<bool> {
        let is_named = |&node: &usize| self.leaf_of[node].is_some_and(|l| self.leaves[l].is_named);
        match self.asked.parts.is_empty() {
            true => Vec::new(),
            false => self.folder_of.iter().map(is_named).collect(),
        }
    }

    /// Whether each image lies in a folder that is left out.
    pub(super) fn left_out(&self) -> Vec<bool> {
        let is_out = |&node: &usize| self.leaf_of[node].is_none();
        self.folder_of.iter().map(is_out).collect()
    }

    /// Folders of masks, each with how many images are left out.
    pub(super) fn masks(&self) -> Vec<(String, usize)> {
        self.tree.masks()
    }
}

/// What a part is for, in a sentence.
pub(super) const fn purpose(part: Part) -> &'static str {
    match part {
        Part::Train => "training",
        Part::Validation => "validation",
        Part::Test => "test",
        Part::Unlabelled => "prediction",
    }
}
