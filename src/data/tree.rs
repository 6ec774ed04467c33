//! The folders of a data set as a tree, with what each is: wrapping, part, masks, or plain.

mod doubts;
mod parts;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::kinds::{
    are_kinds, masks_beside, may_be_no_masks, names_all_photos, names_masks, names_photos,
    names_processing, names_thing, names_truth,
};
use super::labelling::many;
use super::others::Others;
use super::parts::said;
use crate::fnv;
use crate::protocol::Part;

/// Folders deeper than this count as the one at this depth: nobody nests classes so, and paths come from
/// strangers.
const MAX_DEPTH: usize = 40;

/// What a folder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A class, or a level about classes.
    Plain,
    /// A part of the data set.
    Part(Part),
    /// A folder in a part that holds nothing but one other folder.
    Wrapping,
    /// Pictures that are no photos.
    Mask,
}

/// A folder.
#[derive(Debug, Clone)]
pub(super) struct Node<'a> {
    pub(super) parent: usize,
    pub(super) name: &'a str,
    /// Images in it.
    pub(super) direct: usize,
    /// Images in it and below.
    pub(super) below: usize,
    pub(super) kids: Vec<usize>,
    pub(super) role: Role,
    depth: usize,
}

/// All folders; number 0 is that of paths without folders.
#[derive(Debug, Clone)]
pub(super) struct Tree<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// The innermost folder that all images lie in.
    pub(super) base: usize,
    /// Folders that are taken for parts by a word in their names, and may be classes.
    pub(super) doubtful: BTreeSet<usize>,
    /// The folder that all images lie in and that is a part all the same, by what lies beside it and is no image or by
    /// the user's word.
    held: Option<usize>,
}

impl<'a> Tree<'a> {
    /// The tree of some paths, and the folder of each. Parents come before their children.
    pub(super) fn of(paths: &'a [String], others: &Others) -> (Self, Vec<usize>) {
        let mut nodes = vec![Node {
            parent: 0,
            name: "",
            direct: 0,
            below: 0,
            kids: Vec::new(),
            role: Role::Plain,
            depth: 0,
        }];
        let mut known: HashMap<(usize, &str), usize> = HashMap::new();
        let mut folder_of = Vec::with_capacity(paths.len());
        // Files of one folder mostly follow each other.
        let mut last: Option<(&str, usize)> = None;
        for path in paths {
            let folder = super::layout::parent(path);
            let node = match last {
                Some((same, node)) if same == folder => node,
                _ => {
                    let mut at = 0;
                    let names = folder.split('/').filter(|n| !n.is_empty() && *n != ".");
                    for name in names.take(MAX_DEPTH) {
                        at = *known.entry((at, name)).or_insert_with(|| {
                            let number = nodes.len();
                            let depth = nodes[at].depth + 1;
                            nodes[at].kids.push(number);
                            nodes.push(Node {
                                parent: at,
                                name,
                                direct: 0,
                                below: 0,
                                kids: Vec::new(),
                                role: Role::Plain,
                                depth,
                            });
                            number
                        });
                    }
                    at
                }
            };
            last = Some((folder, node));
            nodes[node].direct += 1;
            folder_of.push(node);
        }
        for node in (0..nodes.len()).rev() {
            nodes[node].below += nodes[node].direct;
            let (below, parent) = (nodes[node].below, nodes[node].parent);
            if node > 0 {
                nodes[parent].below += below;
            }
        }
        let mut tree = Self {
            nodes,
            base: 0,
            doubtful: BTreeSet::new(),
            held: None,
        };
        tree.find_base();
        tree.find_held(others);
        (tree, folder_of)
    }

    fn find_base(&mut self) {
        self.base = 0;
        while self.nodes[self.base].direct == 0 {
            let (first, more) = {
                let mut kids = self.kids(self.base);
                (kids.next(), kids.next())
            };
            let (Some(only), None) = (first, more) else {
                break;
            };
            if self.held == Some(only) {
                break;
            }
            self.base = only;
        }
    }

    /// Of the folders that all images lie in, those that the user calls parts.
    pub(super) fn hold_named(&mut self, given: &[(String, Part)]) {
        let mut at = self.base;
        while at != 0 {
            let Node { parent, name, .. } = self.nodes[at];
            if (given.iter()).any(|(given, _)| given.to_lowercase() == name.to_lowercase()) {
                self.held = Some(at);
                self.base = parent;
            }
            at = parent;
        }
    }

    /// A part beside which others lie that are archives, not opened or empty: without those, it would pass for the data
    /// set's own folder.
    fn find_held(&mut self, others: &Others) {
        let mut at = self.base;
        while at != 0 {
            let Node { parent, name, .. } = self.nodes[at];
            if let Some(said) = said(name).filter(|s| s.part != Part::Train)
                && others.are_beside(&self.path(parent), name, said.part)
            {
                self.held = Some(at);
                self.base = parent;
            }
            at = parent;
        }
    }

    /// The folders in a folder that are not left out.
    pub(super) fn kids(&self, node: usize) -> impl Iterator<Item = usize> + '_ {
        let kids = self.nodes[node].kids.iter().copied();
        kids.filter(|&kid| self.nodes[kid].role != Role::Mask)
    }

    fn is_leaf(&self, node: usize) -> bool {
        self.kids(node).next().is_none()
    }

    /// Sets folders of masks and annotations aside, where photos lie beside them.
    pub(super) fn leave_out_masks(&mut self) {
        for node in 0..self.nodes.len() {
            let kids = self.nodes[node].kids.clone();
            let names: Vec<&str> = kids.iter().map(|&kid| self.nodes[kid].name).collect();
            for place in masks_beside(&names) {
                self.nodes[kids[place]].role = Role::Mask;
            }
            let is_mask = |&kid: &usize| names_masks(self.nodes[kid].name);
            let masks: Vec<usize> = kids.iter().copied().filter(is_mask).collect();
            if masks.is_empty() {
                continue;
            }
            let photos = kids
                .iter()
                .any(|&kid| !masks.contains(&kid) && names_photos(self.nodes[kid].name));
            let beside = node != self.base && node != 0 && self.nodes[node].direct > 0;
            let things = self.may_hold_classes(node)
                && (kids.iter()).any(|&kid| names_thing(self.nodes[kid].name));
            let processed = node == self.base && self.are_processed(&kids);
            for &mask in &masks {
                let name = self.nodes[mask].name;
                let is_truth = names_truth(name) && masks.len() < kids.len();
                let may_be_class = (things && may_be_no_masks(name)) || processed;
                if is_truth || beside || (photos && !may_be_class) {
                    self.nodes[mask].role = Role::Mask;
                }
            }
        }
        self.find_base();
    }

    /// Whether classes may lie in a folder, since it is the base or a part by its name. Below `cat`, a mask is one.
    fn may_hold_classes(&self, node: usize) -> bool {
        node == self.base || said(self.nodes[node].name).is_some()
    }

    /// Whether folders hold photos and what was made of them, `original` and `segmented`, and nothing lies deeper.
    fn are_processed(&self, kids: &[usize]) -> bool {
        let is_one = |&kid: &usize| {
            let name = self.nodes[kid].name;
            self.nodes[kid].kids.is_empty()
                && (names_all_photos(name) || names_processing(name) || are_kinds(&[name]))
        };
        kids.iter().all(is_one)
    }

    /// Classes whose names may be those of masks of photos beside them, where other things lie beside both; with
    /// whether there are such photos.
    pub(super) fn doubtful_masks(&self) -> Vec<(&'a str, bool)> {
        let mut found = BTreeMap::new();
        for (number, node) in self.nodes.iter().enumerate() {
            if !self.may_hold_classes(number) {
                continue;
            }
            let name_of = |kid: &usize| self.nodes[*kid].name;
            let things = node.kids.iter().any(|kid| names_thing(name_of(kid)));
            let photos = node.kids.iter().any(|kid| names_all_photos(name_of(kid)));
            let parts = node.kids.iter().any(|kid| names_photos(name_of(kid)));
            for kid in node.kids.iter().filter(|_| things) {
                let name = name_of(kid);
                let is_plain = self.nodes[*kid].role == Role::Plain;
                let annotations = name.to_lowercase().ends_with("annotations");
                if is_plain && ((parts && may_be_no_masks(name)) || annotations) {
                    *found.entry(name).or_default() |= photos || annotations;
                }
            }
        }
        found.into_iter().collect()
    }

    /// Whether a folder is one of masks or lies in one.
    pub(super) fn is_left_out(&self, mut node: usize) -> bool {
        while node != 0 {
            if self.nodes[node].role == Role::Mask {
                return true;
            }
            node = self.nodes[node].parent;
        }
        false
    }

    /// The path of a folder.
    fn path(&self, mut node: usize) -> String {
        let mut names = Vec::new();
        while node != 0 {
            names.push(self.nodes[node].name);
            node = self.nodes[node].parent;
        }
        names.reverse();
        names.join("/")
    }

    /// Folders of masks with the number of their images.
    pub(super) fn masks(&self) -> Vec<(String, usize)> {
        let masks = (0..self.nodes.len()).filter(|&n| self.nodes[n].role == Role::Mask);
        masks.map(|n| (self.path(n), self.nodes[n].below)).collect()
    }

    /// A sentence about the masks, if there are any.
    pub(super) fn notes_on_masks(&self) -> Vec<String> {
        let mut names: BTreeMap<&str, usize> = BTreeMap::new();
        for node in self.nodes.iter().filter(|n| n.role == Role::Mask) {
            *names.entry(node.name).or_default() += node.below;
        }
        let total: usize = names.values().sum();
        if total == 0 {
            return Vec::new();
        }
        let names: Vec<&str> = names.into_keys().collect();
        vec![format!(
            "{} in folders called {} {} left out: by their names they hold masks or annotations, not photos.",
            many(total, "image"),
            super::labelling::list(&names),
            if total == 1 { "is" } else { "are" }
        )]
    }

    /// A number that folders of one name have in common.
    pub(super) fn number_of_name(&self, name: &str) -> usize {
        fnv::add(fnv::START, name.bytes()) as usize
    }
}
