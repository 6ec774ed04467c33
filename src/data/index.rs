//! Makes a data set of a list of files, a slice at a time: 17 000 files take seconds in a tab, in which the
//! user wants to see how far it is and to be able to call it off.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::class_names::unnamed_note;
use super::dataset::{Dataset, Sample};
use super::hidden::{Hidden, HiddenFolders, hidden, hidden_below};
use super::labelling::{Labelling, Spot, clean, many};
use super::layout::{self, Other, file_name, parent};
use super::leaks;
use super::notes;
use super::others::Others;
use super::problem::{self, Facts, LeftOut};
use super::reading::{self, TableFile};
use super::source::Source;
use super::table;
use super::unread;
use crate::error::{Error, Result};
use crate::image::kind::{Kind, NOT_AN_IMAGE};
use crate::platform::{picture, time};
use crate::protocol::{Labels, Part, Skipped};

/// Milliseconds that a slice of work may take before it hands back.
const SLICE: f64 = 15.0;
/// Bytes of a file that are read to see whether it is an image.
const HEAD: usize = 1 << 20;
/// Tables that are read for labels, and the bytes of all of them.
const TABLES: usize = 32;
const TABLE_BYTES: u64 = 160 << 20;
/// Texts whose names say nothing that are looked into for lists; where there are more, they are not lists.
const TEXTS: usize = 16;

/// A file that is an image by its name or content, or would be if it could be read.
struct Image {
    /// Its number in the source.
    file: usize,
    /// What tells its content apart, where that matters.
    content: Option<u64>,
    /// Whether it can be read: one that cannot has a class all the same.
    readable: bool,
}

/// Work in progress on a data set. Call [`Indexer::step`] until it is done, then [`Indexer::finish`].
pub struct Indexer {
    name: String,
    source: Box<dyn Source>,
    labels: Labels,
    /// The next file to look at.
    next: usize,
    /// How many files have each size: only equal sizes can be equal files.
    sizes: HashMap<u64, u32>,
    /// The folder that all files lie in, with its slash; its name is the user's business, even if hidden.
    common: String,
    images: Vec<Image>,
    /// Tables among the files.
    tables: Vec<usize>,
    /// Texts in plain whose names say nothing. A data set may have one beside each image.
    texts: Vec<usize>,
    /// Images in hidden folders, by folder.
    hidden: HiddenFolders,
    left_out: LeftOut,
    skipped: Vec<Skipped>,
    /// What lies beside the images.
    others: Others,
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
            labels: Labels::Auto,
            next: 0,
            sizes,
            common: common_folder(&*source),
            images: Vec::new(),
            tables: Vec::new(),
            texts: Vec::new(),
            hidden: HiddenFolders::default(),
            left_out: LeftOut::default(),
            skipped: source.refused().to_vec(),
            others: Others::default(),
            source,
        }
    }

    /// Where the labels come from, as the user says.
    #[must_use]
    pub fn labels(mut self, labels: Labels) -> Self {
        self.labels = labels;
        self
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

    /// Goes on for about `SLICE` milliseconds; true when all files were looked at. A file that cannot be
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

    /// Whether the user named a file as a table of labels.
    fn is_asked_for(&self, path: &str) -> bool {
        matches!(&self.labels, Labels::Table { file, .. } if reading::names(file, path))
    }

    fn look_at(&mut self, i: usize) {
        let path = self.source.path(i);
        match hidden_below(path, &self.common) {
            Some(Hidden::Litter) => {
                self.others.litter(path);
                return;
            }
            Some(Hidden::Folder(folder)) => {
                self.hidden.note(folder, path);
                return;
            }
            None => {}
        }
        let by_name = Kind::of_name(path);
        let path = path.to_owned();
        if let Some(other) = layout::not_an_image(&path) {
            let is_asked = self.is_asked_for(&path);
            if let (true, false, Some(reason)) =
                (table::is_table(&path), is_asked, table::not_read(&path))
            {
                self.skip(path, reason, false);
                return;
            }
            let is_text = is_asked && table::is_text(&path);
            if table::is_table(&path) || table::is_list(&path) || is_text {
                self.tables.push(i);
            } else if table::is_text(&path) {
                self.texts.push(i);
            }
            self.pass_over(path, other);
            return;
        }
        let size = self.source.size(i);
        if size == 0 {
            if opened(by_name) {
                self.lose(i);
            }
            self.skip(path, "is empty (0 bytes)", opened(by_name));
            return;
        }
        // A name without a known ending, or of what is not opened, may be wrong: the content counts.
        let doubt = !opened(by_name);
        if doubt {
            match self.source.head(i, HEAD) {
                Ok(head) => {
                    let kind = Kind::of_bytes(&head);
                    if !opened(kind) {
                        let known = kind != Kind::Unknown;
                        self.refuse(path, if known { kind } else { by_name });
                        return;
                    }
                }
                Err(error) => {
                    let reason = error.reason_of(&path);
                    self.skip(path, reason, true);
                    return;
                }
            }
        }
        let mut content = self.source.fingerprint(i);
        let twin = self.sizes.get(&size).is_some_and(|&n| n > 1);
        if content.is_none() && twin {
            match self.source.content(i) {
                Ok(found) => content = Some(found),
                Err(error) => {
                    if !doubt {
                        self.lose(i);
                    }
                    let reason = error.reason_of(&path);
                    self.skip(path, reason, true);
                    return;
                }
            }
        }
        self.images.push(Image {
            file: i,
            content,
            readable: true,
        });
    }

    /// An image that cannot be read: its class is there all the same.
    fn lose(&mut self, file: usize) {
        self.images.push(Image {
            file,
            content: None,
            readable: false,
        });
    }

    fn skip(&mut self, file: String, reason: impl Into<String>, failed: bool) {
        self.skipped.push(Skipped {
            file,
            reason: reason.into(),
            failed,
        });
    }

    /// A file that is not opened, of a kind that is known or not.
    fn refuse(&mut self, path: String, kind: Kind) {
        let ending = file_name(&path)
            .rsplit_once('.')
            .map(|(_, e)| e.to_ascii_lowercase());
        let label = match (kind, ending) {
            (Kind::Unknown, Some(ending)) if ending.len() <= 8 => format!(".{ending}"),
            (Kind::Unknown, _) => "of an unknown kind".to_owned(),
            (kind, _) => kind.name().to_owned(),
        };
        let reason = kind.refusal().unwrap_or(NOT_AN_IMAGE);
        let failed = kind.is_picture();
        self.left_out.add(label, reason);
        self.skip(path, reason, failed);
    }

    /// A file that is no image by its name. An archive may hold some.
    fn pass_over(&mut self, path: String, other: Other) {
        let ending = file_name(&path)
            .rsplit_once('.')
            .map_or("", |(_, e)| e)
            .to_ascii_lowercase();
        self.left_out.add(format!(".{ending}"), other.reason());
        self.skip(path, other.reason(), other == Other::Archive);
    }

    /// Puts in place of what a table is why it gives no labels.
    fn say_why_tables_are_refused(&mut self, refused: &[(String, String)]) {
        for (path, why) in refused {
            let is_it = |s: &&mut Skipped| s.file.ends_with(path.as_str());
            let plain = Other::Table.reason();
            let mut listed = self.skipped.iter_mut().filter(is_it);
            if let Some(skipped) = listed.find(|s| s.reason == plain) {
                skipped.reason = format!("gives no labels: it {why}");
            }
        }
    }

    /// Looks at what is left, then sorts out classes, order and duplicates.
    ///
    /// # Errors
    /// [`Error::Dataset`] if there is not one file, or what the user says of the labels cannot be followed: a
    /// table, a column, a pattern that is not there.
    pub fn finish(mut self) -> Result<Dataset> {
        while !self.step() {}
        if self.source.is_empty() && self.skipped.is_empty() {
            return Err(Error::Dataset(format!("{} holds no files", self.name)));
        }
        let tables = self.read_tables();
        let paths: Vec<String> = self
            .images
            .iter()
            .map(|image| self.source.path(image.file).to_owned())
            .collect();
        let numbers: Vec<usize> = self.images.iter().map(|image| image.file).collect();
        self.find_others();
        let mut reading = reading::read(&self.labels, &paths, &numbers, &tables, &self.others)?;
        let mut labelling = std::mem::take(&mut reading.labelling);
        self.add_empty_classes(&paths, &reading.read, &mut labelling);
        if reading.question.is_none() {
            labelling.leave_out_untrained();
            labelling.notes.extend(labelling.combined_note());
            if matches!(reading.labels, Labels::Folders { .. }) {
                labelling.notes.extend(unnamed_note(&labelling.names));
            }
        }
        labelling.sort();

        for (folder, images) in &reading.masks {
            let reason = format!(
                "holds {} that by the folder's name are masks or annotations, not photos",
                many(*images, "image")
            );
            self.skipped.push(Skipped::passed_over(folder, reason));
        }
        let hidden: Vec<String> = self.hidden.sentence().into_iter().collect();
        let folders = std::mem::take(&mut self.hidden).skipped();
        self.skipped.extend(folders);
        // Tables in use, and those that the user is asked about.
        let asked = reading.readings.iter().map(|c| &c.reading.labels);
        let mut used: Vec<&str> = (asked.chain([&reading.labels]))
            .filter_map(|labels| match labels {
                Labels::Table { file, .. } => Some(file.split(';')),
                _ => None,
            })
            .flatten()
            .collect();
        used.extend(reading.read.iter().map(String::as_str));
        let is_read = |s: &Skipped| {
            used.iter().any(|used| {
                s.file == *used || s.file.strip_suffix(used).is_some_and(|r| r.ends_with('/'))
            })
        };
        // With two classes the labels were found, unless folders are asked about for want of others.
        let is_last = reading.question.is_some() && reading.readings.len() == 1;
        let unread = (labelling.names.len() < 2 || is_last)
            .then(|| unread::labels_in(&self.skipped, &reading.tried, self.images.len(), is_read));
        let unread = unread.flatten();
        self.skipped.retain(|s| !is_read(s));
        self.say_why_tables_are_refused(&reading.refused);

        let missing = self.others.missing(&paths);
        let samples = self.samples(paths, &labelling);
        let duplicates = leaks::duplicates(samples.iter().map(|s| s.1));
        let samples: Vec<Sample> = samples.into_iter().map(|s| s.0).collect();
        let mut notes = std::mem::take(&mut labelling.notes);
        notes.extend(hidden.iter().cloned());
        notes.extend(notes::unlabelled(&samples));
        notes.extend(notes::parts_in_names(&labelling.names, &samples));
        notes.extend(notes::unread_lists(&self.skipped, &samples));
        if matches!(reading.labels, Labels::FileNames { .. }) {
            notes.extend(notes::spreadsheets(&self.skipped));
        }
        let mut leaks = Vec::new();
        let problem = match reading.question {
            Some(question) => Some(match &unread {
                Some(unread) => format!("{question} {unread}"),
                None => question,
            }),
            None => {
                leaks = leaks::leaks(&samples, &duplicates, &mut notes);
                let facts = Facts {
                    left_out: &self.left_out,
                    skipped: &self.skipped,
                    tried: &reading.tried,
                    unread: unread.as_deref(),
                    hidden: &hidden,
                    lists: &reading.lists,
                    table: reading.table.as_ref(),
                };
                let problem = problem::problem(&labelling.names, &samples, &facts);
                let trains = samples.iter().any(|s| s.subset == Part::Train);
                let missing = missing.filter(|_| !samples.is_empty() && !trains);
                let problem = problem.map(|problem| match &missing {
                    Some(missing) => format!("{missing} {problem}"),
                    None => problem,
                });
                if problem.is_none() {
                    notes.extend(notes::single_images(&labelling.names, &samples));
                    notes.extend(notes::one_class_tested(&labelling.names, &samples));
                }
                problem
            }
        };
        Ok(Dataset {
            problem,
            name: self.name,
            classes: labelling.names,
            samples,
            skipped: self.skipped,
            duplicates,
            labels: reading.labels,
            readings: reading.readings,
            table: reading.table,
            leaks,
            notes,
            seen: BTreeSet::new(),
            set_aside: BTreeSet::new(),
            source: self.source,
        })
    }

    /// The images in order, with what tells their contents apart.
    fn samples(&mut self, paths: Vec<String>, labelling: &Labelling) -> Vec<(Sample, Option<u64>)> {
        let mut samples = Vec::with_capacity(paths.len());
        for ((image, path), spot) in self.images.iter().zip(paths).zip(&labelling.spots) {
            if !image.readable {
                continue;
            }
            let (subset, class) = match spot {
                Spot::In(_, None) => (Part::Unlabelled, None),
                Spot::In(part, class) => (*part, class.map(|c| c as usize)),
                Spot::Out(reason, failed) => {
                    self.skipped.push(Skipped {
                        file: path,
                        reason: reason.clone().into_owned(),
                        failed: *failed,
                    });
                    continue;
                }
                Spot::Folder => continue,
            };
            let sample = Sample {
                path,
                class,
                subset,
                file: image.file,
            };
            samples.push((sample, image.content));
        }
        // The path comes last: it begins with wrapping folders, which differ from place to place.
        samples.sort_by(|(a, _), (b, _)| {
            let key = |s: &Sample| (s.subset, s.class);
            key(a)
                .cmp(&key(b))
                .then_with(|| file_name(&a.path).cmp(file_name(&b.path)))
                .then_with(|| a.path.cmp(&b.path))
        });
        samples
    }

    /// Takes note of what is left out and of empty folders.
    fn find_others(&mut self) {
        for skipped in &self.skipped {
            self.others.file(skipped);
        }
        for folder in self.source.empty_folders() {
            self.others.folder(folder);
        }
    }

    /// Classes of folders that have no image in them, where they lie beside class folders with images to train on. What
    /// else lies there is told, unless it is `read` for labels or parts.
    fn add_empty_classes(&self, paths: &[String], read: &[String], labelling: &mut Labelling) {
        let mut beside: BTreeSet<&str> = BTreeSet::new();
        for (path, spot) in paths.iter().zip(&labelling.spots) {
            if let Spot::In(Part::Train, Some(class)) = spot {
                let own = parent(path);
                let name = labelling.names.get(*class as usize);
                if !beside.contains(parent(own)) && name == Some(&clean(file_name(own))) {
                    beside.insert(parent(own));
                }
            }
        }
        for bare in self.others.bare(paths, &beside) {
            if bare.is_class {
                labelling.class(file_name(&bare.path));
                labelling.notes.push(bare.sentence);
            } else if !read.iter().any(|file| parent(file) == bare.path) {
                let sentence = bare.sentence;
                labelling
                    .notes
                    .push(format!("{sentence} It is taken for no class."));
            }
        }
    }

    /// The tables nearest to the root, as far as the budget goes.
    fn read_tables(&mut self) -> Vec<TableFile> {
        let mut order = std::mem::take(&mut self.tables);
        let texts = std::mem::take(&mut self.texts);
        let doubtful: HashSet<usize> = match texts.len() {
            0..=TEXTS => texts.into_iter().collect(),
            _ => HashSet::new(),
        };
        order.extend(&doubtful);
        order.sort_unstable();
        let depth = |path: &str| path.matches('/').count();
        // A thousand JSON files, one an image, must not stand before the one table.
        let json = |path: &str| path.to_ascii_lowercase().ends_with(".json");
        order.sort_by_key(|&i| {
            let path = self.source.path(i);
            (
                doubtful.contains(&i),
                json(path),
                depth(path),
                self.source.size(i),
            )
        });
        // Those that the user names first.
        order.sort_by_key(|&i| !self.is_asked_for(self.source.path(i)));
        let mut left = TABLE_BYTES;
        let mut tables = Vec::new();
        // As many lists in plain text as tables.
        let (mut texts, mut others) = (0, 0);
        order.retain(|&i| {
            let count = match table::is_text(self.source.path(i)) {
                true => &mut texts,
                false => &mut others,
            };
            *count += 1;
            *count <= TABLES
        });
        for i in order {
            let (path, size) = (self.source.path(i).to_owned(), self.source.size(i));
            let bytes = if size > table::MAX_BYTES || size > left {
                Err(format!(
                    "is a table of {} MB; at most {} are read",
                    size >> 20,
                    table::MAX_BYTES >> 20
                ))
            } else {
                left -= size;
                let read = self.source.read(i);
                read.map_err(|error| error.reason_of(&path))
            };
            tables.push(TableFile {
                path,
                is_doubtful: doubtful.contains(&i),
                bytes,
            });
        }
        tables
    }
}

/// The folder that all files lie in, with its slash.
fn common_folder(source: &dyn Source) -> String {
    let mut common: Option<&str> = None;
    for i in 0..source.len() {
        let path = source.path(i);
        if hidden(path) == Some(Hidden::Litter) {
            continue;
        }
        let folder = path.rfind('/').map_or("", |at| &path[..=at]);
        common = Some(match common {
            None => folder,
            Some(so_far) => {
                let same = so_far
                    .bytes()
                    .zip(folder.bytes())
                    .take_while(|(a, b)| a == b);
                let same = same.count();
                so_far[..so_far.floor_char_boundary(same)]
                    .rfind('/')
                    .map_or("", |at| &so_far[..=at])
            }
        });
        if common == Some("") {
            break;
        }
    }
    common.unwrap_or_default().to_owned()
}

/// Whether images of this kind are opened here.
fn opened(kind: Kind) -> bool {
    kind.is_decoded() || (picture::AVAILABLE && kind.by_browser())
}
