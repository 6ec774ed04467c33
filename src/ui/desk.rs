//! What the user wants, carried out: views say an [`Intent`], the desk sends the command, names the
//! job and tells the reducer.

use std::{cell::Cell, rc::Rc};

use js_sys::Array;
use wasm_bindgen_futures::spawn_local;
use web_sys::File;
use yew::{Callback, UseReducerHandle};

use super::{
    bridge::Bridge,
    csv, files,
    intake::{self, Found, Intake},
    parts::{Batch, JobKind, Place},
    state::{Action, Began, State},
};
use crate::{
    config::{Arch, DemoConfig},
    protocol::{Command, DatasetSource, ExportKind, FileRef, JobId},
};

/// What the user wants.
pub enum Intent {
    /// A change of what is shown, nothing else.
    Act(Action),
    /// Files and folders dropped on the page.
    Dropped(files::Drop),
    /// Images, picked or pasted.
    Images(Array),
    /// A folder's files.
    Folder(Array),
    /// An archive.
    Zip(Array),
    /// A checkpoint.
    Checkpoint(Array),
    /// The sample image of that number.
    Sample(usize),
    /// The generated data set.
    Demo,
    /// Training with the settings of the form.
    Train,
    /// Hold the training.
    Pause,
    /// Go on with it.
    Resume,
    /// End it and keep its best epoch.
    Stop,
    /// Drop a job.
    Cancel(JobId),
    /// Stop reading a folder.
    CancelReading,
    /// Measure the model.
    Evaluate,
    /// Download pretrained weights.
    Download(Arch),
    /// Hand out the model.
    Export(ExportKind),
    /// Back to the bundled model.
    Reset,
    /// The batch as a table.
    Csv,
}

/// Carries out what the user wants.
#[derive(Clone)]
pub struct Desk {
    bridge: Bridge,
    state: UseReducerHandle<State>,
    /// Counts the folders read; a reader whose number is not the last one stops.
    reading: Rc<Cell<u32>>,
}

impl Desk {
    /// A desk over a state, with a worker that is not started yet.
    pub fn new(state: UseReducerHandle<State>) -> Self {
        let dispatcher = state.dispatcher();
        Self {
            bridge: Bridge::new(Callback::from(move |action| dispatcher.dispatch(action))),
            state,
            reading: Rc::default(),
        }
    }

    /// Starts the worker.
    pub fn open(&self) {
        self.bridge.open();
    }

    /// Does it.
    pub fn perform(&self, intent: Intent) {
        match intent {
            Intent::Act(action) => self.act(action),
            Intent::Dropped(dropped) => self.read_drop(dropped),
            Intent::Images(list) => self.read(list, false, Self::classify),
            Intent::Folder(list) => self.read(list, true, Self::open_folder),
            Intent::Zip(list) => {
                self.read(list, false, |desk, found| desk.first(found, Self::open_zip))
            }
            Intent::Checkpoint(list) => {
                self.read(list, false, |desk, found| desk.first(found, Self::import));
            }
            Intent::Sample(index) => {
                if let Some(file) = self.bridge.sample(index) {
                    self.read(Array::of1(&file), false, Self::classify);
                }
            }
            Intent::Demo => self.open_dataset(&[], |_| DatasetSource::Demo {
                config: DemoConfig::default(),
            }),
            Intent::Train => self.train(),
            Intent::Pause => self.to_training(|job| Command::Pause { job }),
            Intent::Resume => self.to_training(|job| Command::Resume { job }),
            Intent::Stop => self.to_training(|job| Command::Stop { job }),
            Intent::Cancel(job) => self.tell(&Command::Cancel { job }),
            Intent::CancelReading => {
                self.reading.set(self.reading.get() + 1);
                self.act(Action::Reading(None));
            }
            Intent::Evaluate => {
                self.begin_long(JobKind::Evaluate, &[], |job, _| Command::Evaluate { job })
            }
            Intent::Download(arch) => {
                self.begin_long(JobKind::Download, &[], |job, _| Command::Download {
                    job,
                    arch,
                });
            }
            Intent::Export(what) => {
                self.begin_long(JobKind::Export, &[], |job, _| Command::Export { job, what });
            }
            Intent::Reset => self.tell(&Command::Reset),
            Intent::Csv => self.save_csv(),
        }
    }

    fn act(&self, action: Action) {
        self.state.dispatch(action);
    }

    /// The state as it is now. A fresh handle: one that is kept also keeps every state it was asked for.
    fn now(&self) -> UseReducerHandle<State> {
        self.state.clone()
    }

    fn tell(&self, command: &Command) {
        self.bridge.send(command, &Array::new());
    }

    fn begin(
        &self,
        began: Began,
        found: &[Found<File>],
        command: impl FnOnce(JobId, Vec<FileRef>) -> Command,
    ) {
        let job = self.bridge.next_job();
        let refs = found.iter().zip(0..).map(|(f, slot)| FileRef {
            path: f.path.clone(),
            slot,
        });
        let command = command(job, refs.collect());
        let files: Array = found.iter().map(|f| &f.file).collect();
        self.act(Action::Began(job, began));
        self.bridge.send(&command, &files);
    }

    /// Begins a job that must be alone; says so where it cannot.
    fn begin_long(
        &self,
        kind: JobKind,
        found: &[Found<File>],
        command: impl FnOnce(JobId, Vec<FileRef>) -> Command,
    ) {
        if self.now().idle() {
            self.begin(Began::Other(kind), found, command);
        } else {
            let text = if self.now().usable() {
                "Something else is running: wait for it, stop it or cancel it first."
            } else {
                "The engine does not run."
            };
            self.act(Action::Say(kind.place(), text.to_owned()));
        }
    }

    fn classify(&self, mut found: Vec<Found<File>>) {
        if found.is_empty() {
            return;
        }
        if !self.now().usable() {
            let text = "The engine does not run, so nothing can be classified.".to_owned();
            self.act(Action::Say(Place::Classify, text));
            return;
        }
        intake::tell_apart(&mut found);
        if let Some(old) = self.now().job(JobKind::Classify) {
            self.tell(&Command::Cancel { job: old.id });
        }
        let cards = Batch::cards(found.len());
        let shown = |(i, f): (usize, &Found<File>)| {
            let url = if i < cards {
                files::address(&f.file)
            } else {
                None
            };
            (f.path.clone(), url)
        };
        let rows = found.iter().enumerate().map(shown).collect();
        self.begin(Began::Classify(rows), &found, |job, files| {
            Command::Classify { job, files }
        });
    }

    fn open_dataset(
        &self,
        found: &[Found<File>],
        source: impl FnOnce(Vec<FileRef>) -> DatasetSource,
    ) {
        self.begin_long(JobKind::Dataset, found, |job, files| Command::OpenDataset {
            job,
            source: source(files),
        });
    }

    fn open_folder(&self, found: Vec<Found<File>>) {
        if found.is_empty() {
            let text = "The folder has no files.".to_owned();
            self.act(Action::Say(Place::Data, text));
        } else {
            self.open_dataset(&found, |files| DatasetSource::Folder { files });
        }
    }

    fn open_zip(&self, found: Found<File>) {
        let file = FileRef {
            path: found.path.clone(),
            slot: 0,
        };
        self.open_dataset(&[found], |_| DatasetSource::Zip { file });
    }

    fn import(&self, found: Found<File>) {
        let file = FileRef {
            path: found.path.clone(),
            slot: 0,
        };
        self.begin_long(JobKind::Import, &[found], |job, _| Command::Import {
            job,
            file,
            arch: None,
        });
    }

    fn train(&self) {
        let state = self.now();
        if let (true, Ok(config)) = (state.idle(), state.form.config()) {
            self.begin(Began::Train(config.epochs), &[], |job, _| Command::Train {
                job,
                config,
                seeds: 1,
            });
        }
    }

    fn to_training(&self, command: impl FnOnce(JobId) -> Command) {
        if let Some(job) = self.now().job(JobKind::Train) {
            self.tell(&command(job.id));
        }
    }

    fn first(&self, found: Vec<Found<File>>, then: fn(&Self, Found<File>)) {
        if let Some(file) = found.into_iter().next() {
            then(self, file);
        }
    }

    /// Reads a list of files in the background.
    fn read(&self, list: Array, in_folder: bool, then: fn(&Self, Vec<Found<File>>)) {
        let desk = self.clone();
        spawn_local(async move {
            let report = desk.reporter(in_folder);
            let found = files::from_list(list, in_folder, &report).await;
            if let Some(found) = found {
                if in_folder {
                    desk.act(Action::Reading(None));
                }
                then(&desk, found);
            }
        });
    }

    /// Reads what was dropped in the background, then sorts it. Loose files leave alone a folder that is
    /// being read; another folder takes its place.
    fn read_drop(&self, dropped: files::Drop) {
        let desk = self.clone();
        spawn_local(async move {
            let in_folders = dropped.has_folders();
            let report = desk.reporter(in_folders);
            let found = dropped.files(&report).await;
            if in_folders && !matches!(found, Ok(None)) {
                desk.act(Action::Reading(None));
            }
            match found {
                Ok(Some(found)) => desk.take(intake::sort(found)),
                Ok(None) => {}
                Err(error) => {
                    let text = format!("The folder could not be read: {}", files::reason(&error));
                    desk.act(Action::Say(Place::Data, text));
                }
            }
        });
    }

    /// Shows how many files were found, and stops a reader that was cancelled or replaced.
    fn reporter(&self, shown: bool) -> impl Fn(usize) -> bool + use<> {
        let desk = self.clone();
        let turn = self.reading.get() + u32::from(shown);
        self.reading.set(turn);
        move |files| {
            if !shown {
                return true;
            }
            let mine = desk.reading.get() == turn;
            if mine {
                desk.act(Action::Reading(Some(files)));
            }
            mine
        }
    }

    fn take(&self, intake: Intake<File>) {
        for note in intake.notes {
            self.act(Action::Say(Place::Page, note));
        }
        if !intake.folder.is_empty() {
            self.open_folder(intake.folder);
        }
        if let Some(zip) = intake.zip {
            self.open_zip(zip);
        }
        if let Some(checkpoint) = intake.checkpoint {
            self.import(checkpoint);
        }
        self.classify(intake.images);
    }

    fn save_csv(&self) {
        let text = csv::csv(&self.now().batch);
        // The constructor for parts takes text as it takes bytes.
        if files::save(&text.into(), "text/csv", "predictions.csv").is_none() {
            let text = "The browser did not take the file.".to_owned();
            self.act(Action::Say(Place::Classify, text));
        }
    }
}
