//! What is asked where the folders can be read in several ways, and what is left where they give no classes.

use std::collections::BTreeSet;

use super::{Asked, Folders, Found, Way, purpose};
use crate::data::class_names::squeezed;
use crate::data::kinds::are_kinds;
use crate::data::labelling::{Spot, list, many};
use crate::protocol::{Labels, Part};

impl Folders<'_> {
    pub(super) fn ask_for_level(self, levels: &[usize]) -> Found {
        let mut ways: Vec<Way> = Vec::new();
        let mut kept = Vec::new();
        for level in levels {
            let way = self.way(level + 1, self.asked.parts.clone(), None);
            // `cat/cat`, `dog/dog`: the same classes of the same images, but for capitals.
            if !ways.iter().any(|other| is_same(other, &way)) {
                ways.push(way);
                kept.push(level);
            }
        }
        let said: Vec<String> = ways
            .iter()
            .zip(&kept)
            .map(|(way, level)| {
                format!(
                    "the class is the folder at level {} ({}: {})",
                    *level + 1,
                    many(way.labelling.names.len(), "class"),
                    way.labelling.listed()
                )
            })
            .collect();
        let mut question = format!(
            "The folders can be read in {} ways: {}",
            ["no", "one", "two", "three", "four", "five"]
                .get(ways.len())
                .map_or_else(|| ways.len().to_string(), |w| (*w).to_owned()),
            said.join(", or ")
        );
        let one = ways.len() == 1;
        if !self.parts
            && let Some(folder) = self.tree.smallest_twin()
        {
            let name = self.tree.nodes[folder].name.to_owned();
            question.push_str(&format!(
                "; or \u{201c}{name}\u{201d} is a part of the data set, such as the test images"
            ));
            ways.extend(self.reread(vec![(name, Part::Test)]));
        }
        let said = self.tree.said_parts();
        if !said.is_empty()
            && let Some(way) = self.reread(said)
        {
            question.push_str(&format!("; or {}", way.text));
            ways.push(way);
        }
        if one && ways.len() == 1 {
            return ways.pop().map_or_else(
                || Found::Several(Vec::new(), String::new()),
                |way| Found::Classes(Box::new(way)),
            );
        }
        question.push_str(". Choose one.");
        Found::Several(ways, question)
    }

    /// Whether folders called like masks are classes, as those beside them, or hold masks.
    pub(super) fn ask_for_masks(self, level: usize, masks: &[String]) -> Found {
        let mut all = self.way(level, self.asked.parts.clone(), None);
        all.text = format!("every folder is a class: {}", all.labelling.listed());
        if all.flags.is_empty() {
            all.flags = format!("--class-level {level}");
        }
        let without = masks.iter().map(|name| (name.clone(), Part::Unlabelled));
        let without = self.reread(without.collect()).map(|way| Way {
            text: format!(
                "{} left out; classes {}",
                match masks {
                    [one] => format!("\u{201c}{one}\u{201d} is"),
                    several => format!("{} are", list(several)),
                },
                way.labelling.listed()
            ),
            ..way
        });
        let question = format!(
            "Folders of other names lie beside {}, and beside photos: {} classes ({}), or masks or annotations of the photos, to be left out? Choose one.",
            list(masks),
            if masks.len() == 1 {
                "is it one of the"
            } else {
                "are they among the"
            },
            all.labelling.listed()
        );
        Found::Several(std::iter::once(all).chain(without).collect(), question)
    }

    /// The same folders read with these parts.
    pub(super) fn reread(&self, given: Vec<(String, Part)>) -> Option<Way> {
        let mut tree = self.tree.clone();
        tree.forget_parts();
        let mut all = self.asked.parts.clone();
        all.extend(given);
        tree.find_parts(&all);
        let asked = Asked {
            level: self.asked.level,
            parts: all.clone(),
        };
        let mut folders = Folders {
            leaves: Vec::new(),
            leaf_of: vec![None; tree.nodes.len()],
            folder_of: self.folder_of.clone(),
            parts: true,
            asked,
            notes: self.notes.clone(),
            kinds: BTreeSet::new(),
            unknown: Vec::new(),
            tree,
        };
        folders.find_leaves();
        folders.find_levels();
        let level = (0..8).rev().find(|&l| folders.is_kept(l))?;
        let labelling = folders.labelling(Some(level + 1));
        let said: Vec<String> = all
            .iter()
            .map(|(name, part)| format!("\u{201c}{name}\u{201d} is for {}", purpose(*part)))
            .collect();
        let text = format!("{}; classes {}", said.join(", "), labelling.listed());
        let mut way = folders.way(level + 1, all, Some(text));
        way.labelling = labelling;
        Some(way)
    }

    pub(super) fn ask_for_parts(self) -> Found {
        let unknown = &self.unknown;
        let ways: Vec<Way> = [Part::Test, Part::Validation, Part::Train]
            .into_iter()
            .filter_map(|part| {
                self.reread(unknown.iter().map(|name| (name.clone(), part)).collect())
            })
            .collect();
        let question = format!(
            "{} the same classes as the folders for training and test beside {}, and no name says what {} for: test, validation or training? Choose one.",
            match &unknown[..] {
                [one] => format!("The folder \u{201c}{one}\u{201d} has"),
                several => format!("The folders {} have", list(several)),
            },
            if unknown.len() == 1 { "it" } else { "them" },
            if unknown.len() == 1 {
                "it is"
            } else {
                "they are"
            },
        );
        Found::Several(ways, question)
    }

    pub(super) fn without_classes(self, depth: usize) -> Found {
        let labelling = self.labelling(None);
        if depth > 0 {
            // Folders such as `raw` and `augmented`, and nothing else.
            let way = self.way(1, self.asked.parts.clone(), None);
            let doubtful = (way.labelling.names.len() > 1).then(|| {
                let question = format!(
                    "The folders are called {}, which names kinds of images rather than classes. If they are the classes, choose so; else put each class's images in a folder of its own, named like the class.",
                    way.labelling.listed()
                );
                (Box::new(way), question)
            });
            return Found::None {
                labelling,
                single: None,
                doubtful,
            };
        }
        let base = &self.tree.nodes[self.tree.base];
        // `images`, `jpg`: a folder for everything, unless the user says that it is a class.
        let is_heap = are_kinds(&[base.name]) && self.asked.level.is_none();
        let single = (!self.parts && !base.name.is_empty() && !is_heap).then(|| {
            let mut labelling = labelling.clone();
            let class = labelling.class(base.name);
            for spot in &mut labelling.spots {
                if let Spot::In(_, of) = spot {
                    *of = Some(class);
                }
            }
            Box::new(Way {
                labels: Labels::Folders {
                    level: Some(1),
                    merge_similar: None,
                    parts: self.asked.parts.clone(),
                },
                text: format!("the folder: {}", labelling.listed()),
                flags: "--class-level 1".to_owned(),
                labelling,
            })
        });
        Found::None {
            labelling,
            single,
            doubtful: None,
        }
    }
}

/// Whether two readings give the same classes of the same images, however their names are spelt.
fn is_same(one: &Way, other: &Way) -> bool {
    let [a, b] = [&one.labelling, &other.labelling];
    let same = |(a, b): (&String, &String)| squeezed(a) == squeezed(b);
    a.spots == b.spots && a.names.len() == b.names.len() && a.names.iter().zip(&b.names).all(same)
}
