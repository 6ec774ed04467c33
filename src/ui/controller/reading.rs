//! Reading what the user gave, in the background.

use js_sys::Array;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;

use super::Controller;
use crate::ui::{
    files,
    intake::{self, Found, Intake},
    state::Action,
};

impl Controller {
    /// Imports what was picked as a checkpoint, whatever it is called.
    pub(super) fn take_checkpoint(&self, found: Vec<Found<File>>) {
        let first = found.first().cloned();
        let intake = intake::sort(found);
        if intake.checkpoint.is_none() {
            first
                .into_iter()
                .for_each(|file| self.import(file, Vec::new()));
        } else {
            self.take(intake, files::Rest::default());
        }
    }

    /// Reads a list of files in the background.
    pub(super) fn read(&self, list: Array, in_folder: bool, then: fn(&Self, Vec<Found<File>>)) {
        let controller = self.clone();
        spawn_local(async move {
            let report = controller.reporter(in_folder);
            let found = files::from_list(list, in_folder, &report).await;
            if let Some(found) = found {
                if in_folder {
                    controller.act(Action::Reading(None));
                }
                then(&controller, found);
            }
        });
    }

    /// Reads what was dropped in the background, then sorts it. Loose files leave alone a folder that is
    /// being read; another folder takes its place.
    pub(super) fn read_drop(&self, dropped: files::Drop) {
        let controller = self.clone();
        spawn_local(async move {
            let in_folders = dropped.has_folders();
            let report = controller.reporter(in_folders);
            if let Some((found, rest)) = dropped.files(&report).await {
                if in_folders {
                    controller.act(Action::Reading(None));
                }
                controller.take(intake::sort(found), rest);
            }
        });
    }

    /// Shows how many files were found, and stops a reader that was cancelled or replaced.
    pub(super) fn reporter(&self, shown: bool) -> impl Fn(usize) -> bool + use<> {
        let controller = self.clone();
        let turn = self.reading.get() + u32::from(shown);
        self.reading.set(turn);
        move |files| {
            if !shown {
                return true;
            }
            let mine = controller.reading.get() == turn;
            if mine {
                controller.act(Action::Reading(Some(files)));
            }
            mine
        }
    }

    pub(super) fn take(&self, intake: Intake<File>, rest: files::Rest) {
        for (section, note) in intake.notes {
            self.act(Action::Notify(section, note));
        }
        if !intake.folder.is_empty() || !rest.unread.is_empty() {
            self.open_folder(intake.folder, rest);
        }
        if let Some(archive) = intake.archive {
            self.open_archive(archive, intake.beside);
        } else {
            self.add_tables(intake.beside);
        }
        if let Some(checkpoint) = intake.checkpoint {
            self.import(checkpoint, intake.configs);
        }
        self.classify(intake.images);
    }
}
