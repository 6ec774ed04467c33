//! What is asked where the folders can be read in several ways, and what is left where they give no classes.

use super::{Asked, Folders, Found, Way, purpose};
use crate::data::class_names::squeezed;
use crate::data::kinds::are_kinds;
use crate::data::labelling::{Spot, list, many};
use crate::data::parts::{said, words};
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
        let mut question = said.join(", or ");
        let one = ways.len() == 1;
        let (flat, is_sure) = self.tree.flat_beside();
        if let Some(way) = self.leave_out(flat) {
            question.push_str(&format!("; or {}", way.text));
            ways.insert(if is_sure { 0 } else { ways.len() }, way);
        }
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
        let is_new = |way: &Way| ways.iter().all(|other| other.labels != way.labels);
        if !said.is_empty()
            && let Some(way) = self.reread(said).filter(is_new)
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
        let number = ["no", "one", "two", "three", "four", "five"];
        let number = number.get(ways.len());
        let question = format!(
            "The folders can be read in {} ways: {question}. Choose one.",
            number.map_or_else(|| ways.len().to_string(), |word| (*word).to_owned()),
        );
        Found::Several(ways, question)
    }

    /// The reading in which folders are no classes but parts, or none.
    fn leave_out(&self, folders: Vec<(String, Part)>) -> Option<Way> {
        if folders.is_empty() {
            return None;
        }
        let texts: Vec<String> = (folders.iter())
            .map(|(name, part)| match part {
                Part::Unlabelled => format!("\u{201c}{name}\u{201d} is left out"),
                part => format!("\u{201c}{name}\u{201d} is for {}", purpose(*part)),
            })
            .collect();
        let way = self.reread(folders)?;
        let text = format!("{}; classes {}", texts.join(", "), way.labelling.listed());
        Some(Way { text, ..way })
    }

    /// The reading in which folders whose names say something else are classes too.
    fn every_folder(&self, level: usize) -> Way {
        let mut way = self.way(level, self.asked.parts.clone(), None);
        way.text = format!("every folder is a class: {}", way.labelling.listed());
        if way.flags.is_empty() {
            way.flags = format!("--class-level {level}");
        }
        way
    }

    /// Whether folders of images beside classes that are called like parts (`test_images`) are parts or classes.
    pub(super) fn ask_for_flat_parts(&self) -> Option<(Vec<Way>, String)> {
        let mut names = self.tree.doubtful_classes();
        // A thing may be called by the one word.
        names.retain(|name| words(name).len() > 1);
        let part = |name: &&str| Some(((*name).to_owned(), said(name)?.part));
        let without = self.leave_out(names.iter().filter_map(part).collect())?;
        if without.labelling.filled() < 2 {
            return None;
        }
        let all = self.every_folder(1);
        let question = format!(
            "Folders of other names lie beside {}, called like a part of the data set: {}, or every folder is a class. Choose one.",
            list(&names),
            without.text
        );
        Some((vec![without, all], question))
    }

    /// Whether folders called like masks are classes, as those beside them, or hold masks.
    pub(super) fn ask_for_masks(self, level: usize, masks: &[String]) -> Found {
        let all = self.every_folder(level);
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
        let folders = Folders {
            parts: true,
            notes: self.notes.clone(),
            ..Folders::with(tree, self.folder_of.clone(), asked)
        };
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

    /// Folders that may be classes all the same, and nothing else: such as `raw` and `augmented`; or, if `parts`, those
    /// whose names have a word for a part in them.
    fn ask_for_doubtful(&self, parts: bool) -> Option<(Box<Way>, String)> {
        let mut way = match parts {
            true => (self.without_doubtful_parts()).way(1, self.asked.parts.clone(), None),
            false => self.way(1, self.asked.parts.clone(), None),
        };
        if way.flags.is_empty() {
            way.flags.push_str("--class-level 1");
        }
        let say = match parts {
            true => {
                "says that they are parts of the data set, and nothing says what their images show"
            }
            false => "names kinds of images rather than classes",
        };
        let question = format!(
            "The folders are called {}, which {say}. If they are the classes, choose so; else put each class's images in a folder of its own, named like the class.",
            way.labelling.listed()
        );
        (way.labelling.names.len() > 1).then(|| (Box::new(way), question))
    }

    pub(super) fn without_classes(self, depth: usize) -> Found {
        let labelling = self.labelling(None);
        if depth > 0 || !self.tree.doubtful.is_empty() {
            let doubtful = self.ask_for_doubtful(depth == 0);
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
