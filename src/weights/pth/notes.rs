//! What a training noted of its images beside the weights. The same thing is noted under several names, and the same
//! names stand for other things: nothing is taken for being met first.

use std::collections::BTreeMap;

use super::super::normalization::{MeanStd, listed, numbers, to_unit};
use super::super::places;
use super::walk::{join, noted_key};
use crate::config::Preprocess;

/// Names of a size, those first that say most surely that it is the network's input: what is resized is cropped then.
const SIZES: [&str; 6] = [
    "val_crop_size",
    "crop_size",
    "input_size",
    "img_size",
    "image_size",
    "imgsz",
];

/// What was noted, from the top of the file down.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Under keys that are no size, mean or deviation the first of each.
    others: BTreeMap<String, String>,
    /// The rank of its name, where it is noted, and the edge.
    sizes: Vec<(usize, String, String)>,
    /// Means and deviations of one dict, by its place.
    halves: Vec<(String, [Option<[f64; 3]>; 2])>,
    /// Mean and deviation from the text of settings, by its place.
    pairs: Vec<(String, MeanStd)>,
    /// Whether images are in blue, green, red.
    bgr: bool,
}

/// What the notes come to.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Settled {
    /// By the keys of the metadata.
    pub noted: BTreeMap<String, String>,
    /// Sentences to follow the file's name.
    pub said: Vec<String>,
}

impl Notes {
    /// Notes what lies under this name of the dict at `path`.
    pub(super) fn add(&mut self, path: &str, name: &str, text: String) {
        let Some(key) = noted_key(name) else { return };
        if places::is_not_of_images(path) {
            return;
        }
        match key {
            "input" => {
                if let (Some(rank), Some(edge)) = (rank(name), edge(&text)) {
                    self.sizes.push((rank, join(path, name), edge));
                }
            }
            "mean" | "std" => {
                let Some(triple) = numbers(&text) else { return };
                let last = self.halves.last_mut().filter(|(place, _)| place == path);
                let which = usize::from(key == "std");
                match last {
                    Some((_, both)) => both[which] = Some(triple),
                    None => {
                        let mut both = [None; 2];
                        both[which] = Some(triple);
                        self.halves.push((path.to_owned(), both));
                    }
                }
            }
            _ => {
                self.others.entry(key.to_owned()).or_insert(text);
            }
        }
    }

    /// Notes a fact under a key of the metadata.
    pub(super) fn set(&mut self, key: &str, value: &str) {
        self.others
            .entry(key.to_owned())
            .or_insert_with(|| value.to_owned());
    }

    /// Notes that images are in blue, green, red.
    pub(super) fn set_bgr(&mut self) {
        self.bgr = true;
    }

    /// Notes what the text of settings says.
    pub(super) fn add_pairs(&mut self, place: &str, pairs: Vec<MeanStd>) {
        self.pairs
            .extend(pairs.into_iter().map(|pair| (place.to_owned(), pair)));
    }

    /// What is believed of all that, and what is to be said of it.
    pub(super) fn settle(mut self) -> Settled {
        let mut settled = Settled {
            noted: std::mem::take(&mut self.others),
            said: Vec::new(),
        };
        if self.bgr {
            let said = "notes that its images were in blue, green, red (to_rgb = False); they are red, green, blue here, so that \
                        its answers are wrong then: swap the first and the last channel of its first convolution before you \
                        save it, in Python: conv1.weight.data = conv1.weight.data.flip(1)";
            settled.said.push(said.to_owned());
        }
        let mut used = Vec::new();
        used.extend(self.settle_size(&mut settled));
        used.extend(self.settle_normalization(&mut settled));
        if !used.is_empty() {
            settled.said.push(format!(
                "notes of its images, which are prepared so: {}",
                used.join(", ")
            ));
        }
        settled
    }

    fn settle_size(&mut self, settled: &mut Settled) -> Option<String> {
        // Stable: of equals the outermost.
        self.sizes.sort_by_key(|(rank, ..)| *rank);
        let (_, place, edge) = self.sizes.first()?;
        if let Some((_, other, value)) = self.sizes.iter().find(|(.., value)| value != edge) {
            settled.said.push(format!(
                "notes two sizes of its images, {edge} under {place} and {value} under {other}: {place} is believed (say \
                 otherwise by --input-size, or in the page under Model)"
            ));
        }
        settled.noted.insert("input".to_owned(), edge.clone());
        Some(format!("{edge} pixels ({place})"))
    }

    fn settle_normalization(&mut self, settled: &mut Settled) -> Option<String> {
        let mut pairs = Vec::new();
        for (place, both) in &self.halves {
            match both {
                [Some(mean), Some(std)] => pairs.push((place.clone(), [*mean, *std])),
                _ => settled.said.push(format!(
                    "notes a mean of its images without a deviation, or the other way round{}, which is not read (say \
                     what they are by --normalize, or in the page under Model)",
                    within(place)
                )),
            }
        }
        pairs.append(&mut self.pairs);
        let (place, pair) = pairs.first()?;
        let shown = |pair: MeanStd| pair.map(listed).join(" and ");
        if let Some((other, second)) = pairs
            .iter()
            .find(|(_, other)| to_unit(*other) != to_unit(*pair))
        {
            settled.said.push(format!(
                "notes two normalisations of its images, {}{} and {}{}: the first is believed (say otherwise by \
                 --normalize, or in the page under Model)",
                shown(*pair),
                within(place),
                shown(*second),
                within(other)
            ));
        }
        // What is neither for 0..1 nor for 0..255 is left to those who read the metadata, who say that it is none.
        let unit = to_unit(*pair);
        let [mean, std] = unit.unwrap_or(*pair).map(listed);
        let used = format!("mean {mean} and deviation {std}{}", within(place));
        settled.noted.insert("mean".to_owned(), mean);
        settled.noted.insert("std".to_owned(), std);
        unit.is_some().then_some(used)
    }
}

/// Where something is noted, behind what it is; nothing at the top.
fn within(place: &str) -> String {
    match place {
        "" => String::new(),
        place => format!(" ({place})"),
    }
}

fn rank(name: &str) -> Option<usize> {
    SIZES.iter().position(|known| *known == name)
}

/// Of sizes `(3, H, W)` and `(H, W)` the edge; what is no input's size is another thing of the same name.
fn edge(text: &str) -> Option<String> {
    let (low, high) = Preprocess::SIZE;
    let edge = text.rsplit(',').next()?;
    let size = edge.parse().ok().filter(|size| (low..=high).contains(size));
    size.map(|_| edge.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(list: &[(&str, &str, &str)]) -> (BTreeMap<String, String>, String) {
        let mut notes = Notes::default();
        for (path, name, text) in list {
            notes.add(path, name, text.to_string());
        }
        let Settled { noted, said } = notes.settle();
        (noted, said.join(" | "))
    }

    #[test]
    fn what_is_cropped_goes_before_what_is_resized_and_both_are_said() {
        for (first, second) in [("img_size", "crop_size"), ("image_size", "input_size")] {
            let (noted, said) = settle(&[("args", first, "256"), ("args", second, "150")]);
            assert_eq!(noted["input"], "150");
            for part in [first, second, "256", "--input-size"] {
                assert!(said.contains(part), "{said}");
            }
        }
        let (noted, said) = settle(&[("", "img_size", "224"), ("cfg", "crop_size", "3,224,224")]);
        assert_eq!(noted["input"], "224");
        assert!(
            !said.contains("two sizes") && said.contains("224 pixels (cfg.crop_size)"),
            "{said}"
        );
        assert_eq!(settle(&[("", "input_size", "2048")]), Default::default());
    }

    #[test]
    fn a_mean_of_something_else_is_not_believed() {
        for path in [
            "history",
            "metrics.val",
            "optimizer.state[0]",
            "target_stats",
            "log",
        ] {
            let list = [
                (path, "mean", "0.1,0.2,0.3"),
                (path, "std", "0.1,0.1,0.1"),
                (path, "img_size", "99"),
            ];
            assert_eq!(settle(&list), Default::default(), "{path}");
        }
        // Of images, in the same dict as its deviation, and said.
        let own = [
            ("args", "mean", "0.5,0.5,0.5"),
            ("args", "std", "0.25,0.25,0.25"),
        ];
        let (noted, said) = settle(&own);
        assert_eq!(
            (noted["mean"].as_str(), noted["std"].as_str()),
            ("0.5,0.5,0.5", "0.25,0.25,0.25")
        );
        assert!(
            said.contains("mean 0.5,0.5,0.5 and deviation 0.25,0.25,0.25 (args)"),
            "{said}"
        );
        let (noted, said) = settle(&[("a", "mean", "0.5,0.5,0.5"), ("b", "std", "0.25,0.25,0.25")]);
        assert!(
            noted.is_empty() && said.contains("without a deviation"),
            "{said}"
        );
        // A mean loss.
        assert_eq!(settle(&[("", "mean", "0.5")]), Default::default());
    }

    #[test]
    fn of_two_normalisations_one_is_believed_and_both_are_said() {
        let list = [
            ("", "mean", "127.5,127.5,127.5"),
            ("", "std", "127.5,127.5,127.5"),
            ("args", "mean", "0.485,0.456,0.406"),
            ("args", "std", "0.229,0.224,0.225"),
        ];
        let (noted, said) = settle(&list);
        assert_eq!(noted["mean"], "0.5,0.5,0.5");
        assert!(
            said.contains("0.485,0.456,0.406") && said.contains("--normalize"),
            "{said}"
        );
        // The same counted to 255 and to 1.
        let same = [
            list[0],
            list[1],
            ("args", "mean", "0.5,0.5,0.5"),
            ("args", "std", "0.5,0.5,0.5"),
        ];
        assert!(!settle(&same).1.contains("two"));
        // No normalisation that is known: kept as it is, for a word about it.
        let caffe = [("", "mean", "123,117,104"), ("", "std", "1,1,1")];
        let (noted, said) = settle(&caffe);
        assert_eq!((noted["mean"].as_str(), said.as_str()), ("123,117,104", ""));
    }
}
