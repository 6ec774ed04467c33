//! Folders of which the tree alone does not say whether they are parts, classes or neither: what the user is asked or
//! told about.

use std::collections::BTreeSet;

use super::parts::is_mostly_in;
use super::{Role, Tree};
use crate::data::parts::said;
use crate::protocol::Part;

impl<'a> Tree<'a> {
    /// Classes whose names say that they may be no classes but test images.
    pub(in crate::data) fn doubtful_classes(&self) -> Vec<&'a str> {
        let mut doubtful = BTreeSet::new();
        for node in 0..self.nodes.len() {
            // Classes lie in the base, in parts and in what wraps those.
            let is_inner = matches!(self.nodes[node].role, Role::Part(_) | Role::Wrapping);
            if node != self.base && !(is_inner && self.kids(node).nth(1).is_some()) {
                continue;
            }
            doubtful.extend(self.kids(node).filter(|&kid| {
                self.nodes[kid].role == Role::Plain
                    && self.is_leaf(kid)
                    && said(self.nodes[kid].name).is_some_and(|s| s.alone && s.part != Part::Train)
            }));
        }
        let names = doubtful.into_iter().map(|kid| self.nodes[kid].name);
        names.collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// Siblings of parts whose names say nothing and which hold the same classes.
    pub(in crate::data) fn unknown_parts(&self) -> Vec<String> {
        let mut unknown = Vec::new();
        for node in 0..self.nodes.len() {
            let kids: Vec<usize> = self.kids(node).collect();
            let is_part = |&kid: &usize| matches!(self.nodes[kid].role, Role::Part(_));
            let mut classes = BTreeSet::new();
            for kid in kids.iter().copied().filter(|k| is_part(k)) {
                classes.append(&mut self.names_in(kid));
            }
            if classes.is_empty() {
                continue;
            }
            for kid in kids {
                if !is_part(&kid) && is_mostly_in(&self.names_in(kid), &classes) {
                    unknown.push(self.nodes[kid].name.to_owned());
                }
            }
        }
        unknown.sort();
        unknown.dedup();
        unknown
    }

    /// Folders that by their names are parts for validation or test, and by what lies beside them may be none: below some
    /// classes alone (`cat/test`), or without the classes of the others (`val_256`). With them those for training.
    pub(in crate::data) fn said_parts(&self) -> Vec<(String, Part)> {
        let mut found: BTreeSet<(String, Part)> = BTreeSet::new();
        for (number, node) in self.nodes.iter().enumerate() {
            let is_within = number != self.base && node.role == Role::Plain && node.below > 0;
            if let Some(said) = said(node.name).filter(|s| s.alone && is_within) {
                found.insert((node.name.to_owned(), said.part));
            }
        }
        let held = |(_, part): &(String, Part)| *part != Part::Train;
        match found.iter().any(held) {
            true => found.into_iter().collect(),
            false => Vec::new(),
        }
    }

    /// A few folders in the base that hold images and no class folders (`results`, `kaggle_testset`), where all classes
    /// lie in one folder beside them: each with the part that its name says, or none; and whether they are surely no
    /// classes, since their names say parts or parts lie in the other folder.
    pub(in crate::data) fn flat_beside(&self) -> (Vec<(String, Part)>, bool) {
        let (flat, deep): (Vec<usize>, Vec<usize>) = (self.kids(self.base))
            .partition(|&kid| self.is_leaf(kid) || self.only_leaf(kid).is_some());
        let ([deep], 1..=3) = (&deep[..], flat.len()) else {
            return (Vec::new(), false);
        };
        let classes: Vec<usize> = self.kids(self.inner(*deep)).collect();
        let names = self.names_in(*deep);
        let has_parts = (classes.iter()).any(|&kid| matches!(self.nodes[kid].role, Role::Part(_)));
        let fewest = classes.iter().map(|&kid| self.nodes[kid].below).min();
        let (mut found, mut is_sure) = (Vec::new(), true);
        for kid in flat {
            let name = self.nodes[kid].name;
            let part = said(name).map(|s| s.part).filter(|p| *p != Part::Train);
            let speaks = part.is_some() || has_parts;
            // As large as a class, it may be one.
            let is_small = fewest.is_some_and(|fewest| self.nodes[kid].below < fewest);
            if names.contains(&name.to_lowercase()) || !(speaks || is_small) {
                return (Vec::new(), false);
            }
            is_sure &= speaks;
            let part = part.unwrap_or(Part::Unlabelled);
            found.push((name.to_owned(), part));
            // What is left out altogether needs no other name.
            let leaf = self.only_leaf(kid).map(|leaf| self.nodes[leaf].name);
            let is_alone = |leaf: &&str| {
                part != Part::Unlabelled
                    && self.nodes.iter().filter(|n| n.name == *leaf).count() == 1
            };
            found.extend(leaf.filter(is_alone).map(|leaf| (leaf.to_owned(), part)));
        }
        (found, is_sure)
    }

    /// The one folder with images in a folder that holds nothing else.
    fn only_leaf(&self, node: usize) -> Option<usize> {
        let inner = self.inner(node);
        let mut kids = self.kids(inner);
        let only = kids.next().filter(|&kid| self.is_leaf(kid))?;
        (kids.next().is_none() && self.nodes[inner].direct == 0).then_some(only)
    }

    /// Folders in the base, if they are few and hold the same folders: they may be parts.
    fn twin_nodes(&self) -> Vec<usize> {
        let kids: Vec<usize> = self.kids(self.base).collect();
        if !(2..=4).contains(&kids.len()) {
            return Vec::new();
        }
        let names: Vec<BTreeSet<String>> = kids.iter().map(|&kid| self.names_in(kid)).collect();
        let all: BTreeSet<String> = names.iter().flatten().cloned().collect();
        let alike = all.len() > 1 && names.iter().all(|own| own.len() * 3 >= all.len() * 2);
        if alike { kids } else { Vec::new() }
    }

    /// The one of them with the fewest images.
    pub(in crate::data) fn smallest_twin(&self) -> Option<usize> {
        let twins = self.twin_nodes();
        // Of equals the last: test sets tend to come after.
        twins.into_iter().rev().min_by_key(|&n| self.nodes[n].below)
    }
}
