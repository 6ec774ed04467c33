//! Opening data sets, and opening the one in use again: for a fresh worker, or to read its labels in another way.

use std::collections::HashSet;

use js_sys::Array;
use wasm_bindgen::JsCast;
use web_sys::File;

use super::{Controller, refs};
use crate::{
    config::DemoConfig,
    protocol::{Command, DatasetSource, FileRef, JobId, Labels},
    ui::{
        files::Rest,
        intake::Found,
        jobs::{JobKind, Section},
        state::{Action, JobStarted},
    },
};

/// A data set as it was opened, to open it again.
#[derive(Clone)]
pub(super) struct OpenedDataset {
    job: JobId,
    source: DatasetSource,
    beside: Vec<FileRef>,
    labels: Labels,
    files: Array,
}

impl Controller {
    /// Opens a data set of these files; the last `beside` of them lie beside it.
    fn open_dataset(
        &self,
        found: &[Found<File>],
        beside: usize,
        source: impl FnOnce(Vec<FileRef>) -> DatasetSource,
    ) {
        if !self.may_begin(JobKind::Dataset) {
            return;
        }
        let mut refs = refs(found);
        let beside = refs.split_off(refs.len() - beside);
        self.send_opened(OpenedDataset {
            job: self.bridge.next_job(),
            source: source(refs),
            beside,
            labels: Labels::Auto,
            files: found.iter().map(|f| &f.file).collect(),
        });
    }

    pub(super) fn open_demo(&self, config: DemoConfig) {
        self.open_dataset(&[], 0, |_| DatasetSource::Demo { config });
    }

    /// Notes how a data set is opened, beside the one in use: which of them is needed again shows later.
    fn remember(&self, new: OpenedDataset) {
        let in_use = self.now().dataset.as_ref().map(|d| d.job);
        let mut opened = self.opened.borrow_mut();
        opened.retain(|o| Some(o.job) == in_use);
        opened.push(new);
    }

    /// How the data set in use was opened.
    fn in_use(&self) -> Option<OpenedDataset> {
        let in_use = self.now().dataset.as_ref().map(|d| d.job);
        let opened = self.opened.borrow();
        opened.iter().find(|o| Some(o.job) == in_use).cloned()
    }

    /// Opens the data set in use again, for a fresh worker.
    pub(super) fn open_again(&self) {
        match self.in_use() {
            Some(opened) => self.send_again(opened),
            None => self.act(Action::GiveUp),
        }
    }

    /// Opens the data set in use again, with its labels read in another way.
    pub(super) fn read_labels(&self, labels: Labels) {
        if let (true, Some(opened)) = (self.may_begin(JobKind::Dataset), self.in_use()) {
            self.send_again(OpenedDataset { labels, ..opened });
        }
    }

    /// Opens the data set in use again, with these tables of labels beside it.
    pub(super) fn add_tables(&self, tables: Vec<Found<File>>) {
        if tables.is_empty() {
            return;
        }
        let opened = self.in_use();
        let Some(opened) = opened.filter(|o| !matches!(o.source, DatasetSource::Demo { .. }))
        else {
            for Found { path, .. } in tables {
                let text = format!(
                    "{path}: is a table. Open the images that it has labels for, then the table; or drop both \
                     together."
                );
                self.act(Action::Notify(Section::Data, text));
            }
            return;
        };
        if self.may_begin(JobKind::Dataset) {
            self.send_again(opened.with_tables(tables));
        }
    }

    fn send_again(&self, opened: OpenedDataset) {
        let job = self.bridge.next_job();
        self.send_opened(OpenedDataset { job, ..opened });
    }

    fn send_opened(&self, opened: OpenedDataset) {
        let (job, command, files) = (opened.job, opened.command(), opened.files.clone());
        self.remember(opened);
        self.act(Action::JobStarted(job, JobStarted::Other(JobKind::Dataset)));
        self.bridge.send(Some(job), command, &files);
    }

    pub(super) fn open_folder(&self, found: Vec<Found<File>>, rest: Rest) {
        let Rest { unread, empty } = rest;
        if found.is_empty() && unread.is_empty() {
            let text = "The folder has no files.".to_owned();
            self.act(Action::Notify(Section::Data, text));
        } else {
            self.open_dataset(&found, 0, |files| DatasetSource::Folder {
                files,
                unread,
                empty,
            });
        }
    }

    pub(super) fn open_archive(&self, archive: Found<File>, tables: Vec<Found<File>>) {
        let file = FileRef {
            path: archive.path.clone(),
            slot: 0,
        };
        let beside = tables.len();
        let found: Vec<_> = [archive].into_iter().chain(tables).collect();
        self.open_dataset(&found, beside, |_| DatasetSource::Archive { file });
    }

    /// Classifies the images of the folder in use instead of learning from them.
    pub(super) fn classify_folder(&self) {
        let (Some(opened), Some(dataset)) = (self.in_use(), self.now().dataset.clone()) else {
            return;
        };
        let DatasetSource::Folder { files, .. } = opened.source else {
            return;
        };
        let loose: HashSet<&String> = dataset.summary.loose_images.iter().collect();
        let images = files.into_iter().filter(|f| loose.contains(&f.path));
        let found = images.filter_map(|FileRef { path, slot }| {
            let file = opened.files.get(slot).dyn_into().ok()?;
            let in_folder = true;
            Some(Found {
                path,
                in_folder,
                file,
            })
        });
        self.classify(found.collect());
    }
}

impl OpenedDataset {
    /// The same with these tables beside it, in place of those of the same names; its labels are found out anew.
    fn with_tables(mut self, tables: Vec<Found<File>>) -> Self {
        // A copy: the one in use may have to be opened again as it is.
        self.files = Array::from(&self.files);
        for Found { path, file, .. } in tables {
            let slot = self.files.length();
            self.files.push(&file);
            self.beside.retain(|old| old.path != path);
            self.beside.push(FileRef { path, slot });
        }
        self.labels = Labels::Auto;
        self
    }

    fn command(&self) -> Command {
        Command::OpenDataset {
            source: self.source.clone(),
            beside: self.beside.clone(),
            labels: self.labels.clone(),
        }
    }
}
