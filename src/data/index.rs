//! Makes a data set of a list of files, a slice at a time: 17 000 files take seconds in a tab, in which the
//! user wants to see how far it is and to be able to call it off.

use std::collections::{BTreeSet, HashMap};

use super::dataset::{Dataset, Sample, Subset};
use super::layout::{self, Layout};
use super::source::{Source, fingerprint};
use crate::error::{Error, Result};
use crate::platform::time;
use crate::protocol::Skipped;

/// Milliseconds that a slice of work may take before it hands back.
const SLICE: f64 = 15.0;

/// Work in progress on a data set. Call [`Indexer::step`] until it is done, then [`Indexer::finish`].
pub struct Indexer {
    name: String,
    source: Box<dyn Source>,
    /// The next file to look at.
    next: usize,
    /// How many files have each size: only equal sizes can be equal files.
    sizes: HashMap<u64, u32>,
    /// Files that may be images, with what tells their contents apart where that matters.
    images: Vec<(usize, Option<u64>)>,
    /// Paths that would be images but for being empty or unreadable: their classes exist all the same.
    lost: Vec<String>,
    skipped: Vec<Skipped>,
}

impl Indexer {
    /// Begins with a source; `name` is what the user calls it.
    #[must_use]
    pub fn new(name: impl Into<String>, source: Box<dyn Source>) -> Self {
        let mut sizes = HashMap::new();
        for i in 0..source.len() {
            *sizes.entry(source.size(i)).or_default() += 1;
        }
        Self {
            name: name.into(),
            next: 0,
            sizes,
            images: Vec::new(),
            lost: Vec::new(),
            skipped: source.refused().to_vec(),
            source,
        }
    }

    /// Files looked at.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.next as u64
    }

    /// Files in all.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.source.len() as u64
    }

    /// Goes on for about [`SLICE`] milliseconds; true when all files were looked at. A file that cannot be
    /// read is set aside and does not end the work.
    pub fn step(&mut self) -> bool {
        let begin = time::now();
        while self.next < self.source.len() {
            self.look_at(self.next);
            self.next += 1;
            if time::now() - begin > SLICE {
                break;
            }
        }
        self.next >= self.source.len()
    }

    fn look_at(&mut self, i: usize) {
        let path = self.source.path(i).to_owned();
        if layout::is_junk(&path) {
            return;
        }
        if let Some(reason) = layout::not_an_image(&path) {
            self.skip(path, reason);
            return;
        }
        let size = self.source.size(i);
        if size == 0 {
            self.lost.push(path.clone());
            self.skip(path, "is empty (0 bytes)");
            return;
        }
        let mut content = self.source.fingerprint(i);
        if content.is_none() && self.sizes.get(&size).is_some_and(|&n| n > 1) {
            match self.source.read(i) {
                Ok(bytes) => content = Some(fingerprint(crc32fast::hash(&bytes), size)),
                Err(error) => {
                    self.lost.push(path.clone());
                    self.skip(path, error.reason());
                    return;
                }
            }
        }
        self.images.push((i, content));
    }

    fn skip(&mut self, file: String, reason: impl Into<String>) {
        let reason = reason.into();
        self.skipped.push(Skipped { file, reason });
    }

    /// Looks at what is left, then sorts out classes, order and duplicates.
    ///
    /// # Errors
    /// [`Error::Dataset`] if there is not one file.
    pub fn finish(mut self) -> Result<Dataset> {
        while !self.step() {}
        if self.source.is_empty() && self.skipped.is_empty() {
            return Err(Error::Dataset(format!("{} holds no files", self.name)));
        }
        let paths = self.images.iter().map(|&(i, _)| self.source.path(i));
        let layout = Layout::of(paths.chain(self.lost.iter().map(String::as_str)));

        let mut placed = Vec::with_capacity(self.images.len());
        for &(file, content) in &self.images {
            let path = self.source.path(file);
            match layout.place(path) {
                Ok(place) => placed.push((path, place, file, content)),
                Err(reason) => self.skipped.push(Skipped {
                    file: path.to_owned(),
                    reason: reason.into(),
                }),
            }
        }
        let classes = self.classes(
            &layout,
            placed
                .iter()
                .filter_map(|(path, place, ..)| Some((*path, place.class?))),
        );
        let mut samples: Vec<(Sample, Option<u64>)> = placed
            .iter()
            .map(|&(path, place, file, content)| {
                let class = place
                    .class
                    .and_then(|c| classes.binary_search_by(|k| k.as_str().cmp(c)).ok());
                let path = path.to_owned();
                let subset = place.subset;
                (
                    Sample {
                        path,
                        class,
                        subset,
                        file,
                    },
                    content,
                )
            })
            .collect();
        // The path comes last: it begins with wrapping folders, which differ from place to place.
        samples.sort_by(|(a, _), (b, _)| {
            let key = |s: &Sample| (s.subset, s.class);
            let name = layout::file_name(&a.path).cmp(layout::file_name(&b.path));
            key(a)
                .cmp(&key(b))
                .then(name)
                .then_with(|| a.path.cmp(&b.path))
        });
        let duplicates = duplicates(samples.iter().map(|s| s.1));
        let samples: Vec<Sample> = samples.into_iter().map(|s| s.0).collect();
        Ok(Dataset {
            problem: problem(&classes, &samples),
            name: self.name,
            classes,
            samples,
            skipped: self.skipped,
            duplicates,
            source: self.source,
        })
    }

    /// The classes in alphabetical order: those of images, of files that would be images, and of empty
    /// folders beside them.
    fn classes<'a>(
        &'a self,
        layout: &Layout,
        images: impl Iterator<Item = (&'a str, &'a str)>,
    ) -> Vec<String> {
        let mut classes = BTreeSet::new();
        let mut beside = BTreeSet::new();
        let lost = self
            .lost
            .iter()
            .filter_map(|path| Some((path.as_str(), layout.place(path).ok()?.class?)));
        for (path, class) in images.chain(lost) {
            classes.insert(class.to_owned());
            beside.insert(parent(parent(path)));
        }
        for folder in self.source.empty_folders() {
            let class = layout::file_name(folder);
            if beside.contains(parent(folder)) {
                classes.insert(class.to_owned());
            }
        }
        classes.into_iter().collect()
    }
}

/// The folder that a path lies in.
fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Groups of equal contents, each ascending, in the order of their first members.
fn duplicates(contents: impl Iterator<Item = Option<u64>>) -> Vec<Vec<usize>> {
    let mut groups: HashMap<u64, Vec<usize>> = HashMap::new();
    for (i, content) in contents.enumerate() {
        if let Some(content) = content {
            groups.entry(content).or_default().push(i);
        }
    }
    let mut groups: Vec<_> = groups
        .into_values()
        .filter(|group| group.len() > 1)
        .collect();
    groups.sort_unstable();
    groups
}

/// What keeps one from training on these samples, and what to do about it.
fn problem(classes: &[String], samples: &[Sample]) -> Option<String> {
    const HINT: &str = "put each class's images in a folder of its own, named like the class";
    if samples.is_empty() {
        return Some(format!("There are no images here: {HINT}."));
    }
    let mut counts = vec![0_usize; classes.len()];
    let mut own_validation = false;
    for sample in samples {
        own_validation |= sample.subset == Subset::Validation;
        let count = sample.class.and_then(|c| counts.get_mut(c));
        if let (Subset::Train, Some(count)) = (sample.subset, count) {
            *count += 1;
        }
    }
    let total: usize = counts.iter().sum();
    let empty: Vec<&str> = classes
        .iter()
        .zip(&counts)
        .filter(|(_, n)| **n == 0)
        .map(|(c, _)| c.as_str())
        .collect();
    if total == 0 {
        return Some(format!(
            "None of the {} images is for training: they lie in folders for test, validation or prediction, or in no class folder.",
            samples.len()
        ));
    }
    if let [only] = classes {
        return Some(format!(
            "There is one class only, \u{201c}{only}\u{201d}: training needs at least two; {HINT}."
        ));
    }
    if total < classes.len() {
        return Some(format!(
            "There are {total} images to train on for {} classes; without any: {}.",
            classes.len(),
            empty.join(", ")
        ));
    }
    if !empty.is_empty() {
        return Some(format!(
            "No images to train on in: {}. Add some, or remove the folder.",
            empty.join(", ")
        ));
    }
    if !own_validation && counts.iter().all(|&n| n < 2) {
        return Some("Every class has one image only: validation needs a second one in at least one of them.".into());
    }
    None
}
