//! Opening data sets, and opening the one in use again for a fresh worker.

use js_sys::Array;
use web_sys::File;

use super::Desk;
use crate::{
    config::DemoConfig,
    protocol::{Command, DatasetSource, FileRef, JobId},
    ui::{
        intake::Found,
        parts::{JobKind, Place},
        state::{Action, Began},
    },
};

/// A data set as it was opened, to open it again.
pub(super) struct Opened {
    job: JobId,
    source: DatasetSource,
    files: Array,
}

impl Desk {
    pub(super) fn open_dataset(
        &self,
        found: &[Found<File>],
        source: impl FnOnce(Vec<FileRef>) -> DatasetSource,
    ) {
        if !self.may_begin(JobKind::Dataset) {
            return;
        }
        self.begin(Began::Other(JobKind::Dataset), found, |job, refs| {
            let source = source(refs);
            let files = found.iter().map(|f| &f.file).collect();
            self.remember(job, source.clone(), files);
            Command::OpenDataset { job, source }
        });
    }

    pub(super) fn open_demo(&self, config: DemoConfig) {
        self.open_dataset(&[], |_| DatasetSource::Demo { config });
    }

    /// Notes how a data set is opened, beside the one in use: which of them is needed again shows later.
    pub(super) fn remember(&self, job: JobId, source: DatasetSource, files: Array) {
        let in_use = self.now().dataset.as_ref().map(|d| d.job);
        let mut opened = self.opened.borrow_mut();
        opened.retain(|o| Some(o.job) == in_use);
        opened.push(Opened { job, source, files });
    }

    /// Opens the data set in use again, for a fresh worker.
    pub(super) fn open_again(&self) {
        let in_use = self.now().dataset.as_ref().map(|d| d.job);
        let opened = self.opened.borrow();
        let found = opened.iter().find(|o| Some(o.job) == in_use);
        let Some((source, files)) = found.map(|o| (o.source.clone(), o.files.clone())) else {
            return self.act(Action::GiveUp);
        };
        drop(opened);
        let job = self.bridge.next_job();
        self.remember(job, source.clone(), files.clone());
        self.act(Action::Began(job, Began::Other(JobKind::Dataset)));
        self.bridge
            .send(&Command::OpenDataset { job, source }, &files);
    }

    pub(super) fn open_folder(&self, found: Vec<Found<File>>) {
        if found.is_empty() {
            let text = "The folder has no files.".to_owned();
            self.act(Action::Say(Place::Data, text));
        } else {
            self.open_dataset(&found, |files| DatasetSource::Folder { files });
        }
    }

    pub(super) fn open_zip(&self, found: Found<File>) {
        let file = FileRef {
            path: found.path.clone(),
            slot: 0,
        };
        self.open_dataset(&[found], |_| DatasetSource::Zip { file });
    }
}
