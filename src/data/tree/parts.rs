//! Which folders of a tree are parts of the data set: by their names, by what lies beside them and below them.

use std::collections::BTreeSet;

use super::{Role, Tree};
use crate::data::parts::{Said, names_thing, residue, said};
use crate::protocol::Part;

impl<'a> Tree<'a> {
    /// Takes all parts back, to be found anew.
    pub(in crate::data) fn forget_parts(&mut self) {
        for node in &mut self.nodes {
            if node.role != Role::Mask {
                node.role = Role::Plain;
            }
        }
    }

    /// Takes those for classes that are parts by a word in their names alone.
    pub(in crate::data) fn forget_doubtful_parts(&mut self) {
        for node in std::mem::take(&mut self.doubtful) {
            self.nodes[node].role = Role::Plain;
        }
    }

    /// Finds the folders that are parts; `given` are those that the user named.
    pub(in crate::data) fn find_parts(&mut self, given: &[(String, Part)]) {
        // Levels at which several parts lie side by side: there, a lone one is a part too.
        let mut paired = BTreeSet::new();
        for node in &self.nodes {
            let parts: BTreeSet<Part> = node
                .kids
                .iter()
                .filter_map(|&k| said(self.nodes[k].name).map(|s| s.part))
                .collect();
            if parts.len() > 1 {
                paired.insert(node.depth);
            }
        }
        let named = |name: &str| {
            let same = |n: &String| n.to_lowercase() == name.to_lowercase();
            given.iter().find(|(n, _)| same(n)).map(|(_, part)| *part)
        };
        let mut enclosing: Vec<Option<Part>> = vec![None; self.nodes.len()];
        let mut within = vec![false; self.nodes.len()];
        for node in 0..self.nodes.len() {
            let own = match self.nodes[node].role {
                Role::Part(part) => Some(part),
                _ => None,
            };
            if node != 0 {
                enclosing[node] = own.or(enclosing[self.nodes[node].parent]);
            }
            // Left of the base there is only its own line of parents.
            within[node] = node == self.base || (node != 0 && within[self.nodes[node].parent]);
            if self.nodes[node].role == Role::Mask || !within[node] {
                continue;
            }
            let kids: Vec<usize> = self.kids(node).collect();
            let mut forced = false;
            for &kid in &kids {
                if let Some(part) = named(self.nodes[kid].name) {
                    self.nodes[kid].role = Role::Part(part);
                    forced = true;
                } else if self.held == Some(kid)
                    && let Some(said) = said(self.nodes[kid].name)
                {
                    self.nodes[kid].role = Role::Part(said.part);
                }
            }
            let mut found = Vec::new();
            let mut others = Vec::new();
            for &kid in &kids {
                match said(self.nodes[kid].name) {
                    _ if self.nodes[kid].role != Role::Plain => {}
                    Some(said) => found.push((kid, said)),
                    None => others.push(kid),
                }
            }
            // `Training`, `Test` and `test-multiple_fruits`: those that say nothing else, if they are parts.
            let doubtful =
                enclosing[node].is_none() && !forced && self.may_be_parts(&found, &others);
            let (alone, rest): (Vec<_>, Vec<_>) = found.iter().partition(|(_, said)| said.alone);
            let all: Vec<usize> = (others.iter().copied())
                .chain(rest.iter().map(|&(kid, _)| kid))
                .collect();
            let is_paired = paired.contains(&self.nodes[node].depth);
            if enclosing[node].is_none()
                && !doubtful
                && !alone.is_empty()
                && !rest.is_empty()
                && !self.are_parts(&found, &others, is_paired)
                && self.are_parts(&alone, &all, is_paired)
            {
                found = alone;
                others = all;
            }
            let are_parts = !found.is_empty()
                && match enclosing[node] {
                    Some(part) => self.are_doubled(node, part, &found, &others),
                    None => forced || doubtful || self.are_parts(&found, &others, is_paired),
                };
            if are_parts {
                if doubtful && !self.are_parts(&found, &others, is_paired) {
                    self.doubtful.extend(found.iter().map(|&(kid, _)| kid));
                }
                for &(kid, said) in &found {
                    self.nodes[kid].role = Role::Part(said.part);
                }
            }
            if forced {
                self.rest_is_for_training(&kids, &others);
            }
        }
        self.find_wrapping();
    }

    /// Beside folders that the user called parts, none of them for training, those with the same classes are.
    fn rest_is_for_training(&mut self, kids: &[usize], others: &[usize]) {
        let mut classes = BTreeSet::new();
        for &kid in kids {
            match self.nodes[kid].role {
                Role::Part(Part::Train) => return,
                Role::Part(_) => classes.append(&mut self.names_in(kid)),
                _ => {}
            }
        }
        for &other in others {
            if is_mostly_in(&self.names_in(other), &classes) {
                self.nodes[other].role = Role::Part(Part::Train);
            }
        }
    }

    /// Whether folders in a part repeat it (`seg_train/seg_train`); else they are classes (`train/train`
    /// beside `train/bus`).
    fn are_doubled(
        &self,
        node: usize,
        part: Part,
        found: &[(usize, Said)],
        others: &[usize],
    ) -> bool {
        let same = found.iter().all(|(_, said)| said.part == part);
        let same_name = |kid: usize| {
            let [inner, outer] = [kid, node].map(|n| self.nodes[n].name.to_lowercase());
            inner == outer
        };
        let deeper = found.iter().all(|&(kid, _)| !self.is_leaf(kid));
        others.is_empty()
            && same
            && self.nodes[node].direct == 0
            && (deeper || matches!(found, [(kid, _)] if same_name(*kid)))
    }

    /// Whether folders of images, all of whose names say parts and more (`train_resized`, `test_hard`), are parts of
    /// the data set though their names differ in more than that: learnt as classes, they would teach a model to tell
    /// training images from test images. Several folders for training are classes in a part: `train_cat`, `train_dog`.
    fn may_be_parts(&self, found: &[(usize, Said)], others: &[usize]) -> bool {
        let name = |kid: usize| self.nodes[kid].name;
        let parts: BTreeSet<Part> = found.iter().map(|(_, said)| said.part).collect();
        let trained: BTreeSet<String> = (found.iter())
            .filter(|(_, said)| said.part == Part::Train)
            .map(|&(kid, _)| residue(name(kid)))
            .collect();
        others.is_empty()
            && parts.len() > 1
            && (trained.len() < 2 || trained.contains(""))
            && (found.iter()).all(|&(kid, _)| self.is_leaf(kid) && !names_thing(name(kid)))
    }

    fn are_parts(&self, found: &[(usize, Said)], others: &[usize], paired: bool) -> bool {
        let parts: BTreeSet<Part> = found.iter().map(|(_, said)| said.part).collect();
        let residues: BTreeSet<String> = found
            .iter()
            .map(|&(kid, _)| residue(self.nodes[kid].name))
            .collect();
        // Names that say a part and nothing else, or the same else.
        let strict =
            found.iter().all(|(_, said)| said.alone) || (found.len() > 1 && residues.len() == 1);
        let deeper = found.iter().any(|&(kid, _)| !self.is_leaf(kid));
        if !deeper {
            // Images lie directly in them: classes, unless several say nothing but their parts.
            return strict && (parts.len() > 1 || (others.is_empty() && paired));
        }
        if others.is_empty() {
            return strict || parts.len() > 1;
        }
        // Something else lies beside them.
        (strict && parts.len() > 1)
            || self.share_names(found, others)
            || (strict && others.iter().all(|&kid| self.is_leaf(kid)) && self.has_classes(found))
            || (strict && !parts.contains(&Part::Train) && self.hold_training(others))
    }

    /// Whether in one of some folders there is one for training with classes in it.
    fn hold_training(&self, nodes: &[usize]) -> bool {
        let trains = |kid: usize| {
            said(self.nodes[kid].name).is_some_and(|s| s.alone && s.part == Part::Train)
                && !self.is_leaf(kid)
        };
        (nodes.iter()).any(|&node| self.kids(self.inner(node)).any(trains))
    }

    /// Whether every one of them has several folders in it, as parts have.
    fn has_classes(&self, found: &[(usize, Said)]) -> bool {
        found.iter().all(|&(kid, _)| self.kids(kid).count() > 0)
    }

    /// The folder below folders that hold one folder and nothing else, as unpacking doubles them (`rps/rps/rock`).
    pub(super) fn inner(&self, mut node: usize) -> usize {
        loop {
            let mut kids = self.kids(node);
            match (kids.next(), kids.next()) {
                (Some(only), None) if self.nodes[node].direct == 0 && !self.is_leaf(only) => {
                    node = only;
                }
                _ => return node,
            }
        }
    }

    pub(super) fn names_in(&self, node: usize) -> BTreeSet<String> {
        let kids = self.kids(self.inner(node));
        kids.map(|kid| self.nodes[kid].name.to_lowercase())
            .collect()
    }

    /// Whether other folders hold the classes of the parts.
    fn share_names(&self, found: &[(usize, Said)], others: &[usize]) -> bool {
        let mut classes = BTreeSet::new();
        for (kid, _) in found {
            classes.append(&mut self.names_in(*kid));
        }
        others
            .iter()
            .any(|&other| is_mostly_in(&self.names_in(other), &classes))
    }

    /// Marks folders between a part and its classes that hold one folder and nothing else.
    fn find_wrapping(&mut self) {
        let part_nodes: Vec<usize> = (0..self.nodes.len())
            .filter(|&n| matches!(self.nodes[n].role, Role::Part(_)))
            .collect();
        let mut classes: BTreeSet<String> = BTreeSet::new();
        for &node in &part_nodes {
            let names = self.names_in(node);
            if names.len() > 1 {
                classes.extend(names);
            }
        }
        for node in part_nodes {
            let mut at = node;
            loop {
                let (first, more) = {
                    let mut kids = self.kids(at);
                    (kids.next(), kids.next())
                };
                let (Some(only), None) = (first, more) else {
                    break;
                };
                let holds_more = self.nodes[at].direct > 0 || self.is_leaf(only);
                let is_class = classes.contains(&self.nodes[only].name.to_lowercase());
                if holds_more || is_class || self.nodes[only].role != Role::Plain {
                    break;
                }
                self.nodes[only].role = Role::Wrapping;
                at = only;
            }
        }
    }

    /// Whether all parts lie in folders that are none: `cat/train`, `cat/test`.
    pub(in crate::data) fn has_parts_in_classes(&self) -> bool {
        let mut parts = (self.nodes.iter()).filter(|node| matches!(node.role, Role::Part(_)));
        parts.all(|node| node.parent != self.base && self.nodes[node.parent].role == Role::Plain)
    }
}

/// Whether at least half of some names, and one, are among others.
pub(super) fn is_mostly_in(names: &BTreeSet<String>, others: &BTreeSet<String>) -> bool {
    let shared = names.intersection(others).count();
    shared > 0 && shared * 2 >= names.len()
}
