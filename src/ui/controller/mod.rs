//! What the user wants, carried out: views say an [`Intent`], the controller sends the command, names the
//! job and tells the reducer.

mod data;
mod reading;
mod training;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use js_sys::Array;
use web_sys::File;
use yew::{Callback, UseReducerHandle};

use super::{
    bridge::Bridge,
    csv, files,
    intake::{self, Found},
    jobs::{JobKind, Section},
    offline,
    predictions::Batch,
    state::{Action, Effect, EffectKind, JobStarted, State},
};
use crate::{
    config::{Arch, DemoConfig, InputSettings, TrainRequest},
    protocol::{Command, FileRef, JobId, Labels},
};

/// What the user wants.
pub enum Intent {
    /// A change of what is shown, nothing else.
    Act(Action),
    /// A job that needs no files and must be alone, as its command says.
    Begin(Box<Command>),
    /// Files and folders dropped on the page.
    Dropped(files::Drop),
    /// Images, picked or pasted.
    Images(Array),
    /// Classify the images last given again, with the model in use.
    ClassifyAgain,
    /// A folder's files.
    Folder(Array),
    /// An archive, and tables of labels beside it.
    Archive(Array),
    /// Files that the system opens with the page: as if they were dropped.
    Opened(Array),
    /// Tables of labels for the data set in use.
    Tables(Array),
    /// Read the labels of the data set in use in this way.
    Labels(Labels),
    /// Classify the images of the folder in use.
    ClassifyFolder,
    /// A checkpoint, and files that say more about it.
    Checkpoint(Array),
    /// The checkpoint in use once more, with these names for its outputs.
    ImportAgain(Vec<String>),
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
    /// Go on with the interrupted training.
    Continue,
    /// Drop it.
    Discard,
    /// Say how long a training will take.
    Estimate,
    /// Show what the augmentation does.
    Preview(Subject),
    /// Forget a run.
    Forget(u64),
    /// Put random weights in use.
    RandomInit(Arch),
    /// Drop a job.
    Cancel(JobId),
    /// Stop reading a folder.
    CancelReading,
    /// The batch as a table.
    Csv,
    /// Load the new version of the page.
    UseNewVersion,
}

impl Intent {
    /// The job of a command that needs no files.
    pub fn begin(command: Command) -> Self {
        Self::Begin(Box::new(command))
    }
}

/// The image that an augmentation is shown on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The one of last time.
    Same,
    /// The next one of the data set.
    Next,
    /// The first of the images given to classify.
    Given,
}

/// A checkpoint as it was imported, to import it again.
#[derive(Clone)]
struct Imported {
    job: JobId,
    file: Found<File>,
    configs: Vec<Found<File>>,
}

/// Carries out what the user wants.
#[derive(Clone)]
pub struct Controller {
    bridge: Bridge,
    state: UseReducerHandle<State>,
    /// Counts the folders read; a reader whose number is not the last one stops.
    reading: Rc<Cell<u32>>,
    /// The data set in use, and the one being opened.
    opened: Rc<RefCell<Vec<data::OpenedDataset>>>,
    /// The images last given, those of the batch that is shown.
    given: Rc<RefCell<Vec<Found<File>>>>,
    /// The checkpoint in use, if it was imported, and the one being imported.
    imported: Rc<RefCell<Vec<Imported>>>,
    /// The last effect that was carried out.
    effect: Rc<Cell<u32>>,
}

impl Controller {
    /// A controller over a state, with a worker that is not started yet.
    pub fn new(state: UseReducerHandle<State>) -> Self {
        let dispatcher = state.dispatcher();
        Self {
            bridge: Bridge::new(Callback::from(move |action| dispatcher.dispatch(action))),
            state,
            reading: Rc::default(),
            opened: Rc::default(),
            given: Rc::default(),
            imported: Rc::default(),
            effect: Rc::default(),
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
            Intent::Begin(command) => self.begin_alone(*command),
            Intent::Dropped(dropped) => self.read_drop(dropped),
            Intent::Images(list) => self.read(list, false, Self::classify),
            Intent::ClassifyAgain => {
                let given = self.given.borrow().clone();
                self.classify(given);
            }
            Intent::Folder(list) => self.read(list, true, |controller, found| {
                controller.open_folder(found, files::Rest::default());
            }),
            Intent::Archive(list) | Intent::Opened(list) => {
                self.read(list, false, |controller, found| {
                    controller.take(intake::sort(found), files::Rest::default());
                })
            }
            Intent::Tables(list) => self.read(list, false, Self::add_tables),
            Intent::Labels(labels) => self.read_labels(labels),
            Intent::ClassifyFolder => self.classify_folder(),
            Intent::Checkpoint(list) => self.read(list, false, Self::take_checkpoint),
            Intent::ImportAgain(classes) => {
                self.import_again(classes);
            }
            Intent::Sample(index) => {
                if let Some(file) = self.bridge.sample(index) {
                    self.read(Array::of1(&file), false, Self::classify);
                }
            }
            Intent::Demo => self.open_demo(DemoConfig::default()),
            Intent::Train => self.train(),
            Intent::Pause => self.to_training(Command::Pause),
            Intent::Resume => self.to_training(Command::Resume),
            Intent::Stop => self.to_training(Command::Stop),
            Intent::Continue => self.go_on(),
            Intent::Discard => {
                self.tell(None, Command::Discard);
                self.act(Action::Discard);
            }
            Intent::Estimate => {
                let state = self.now();
                if let Ok(TrainRequest { config, .. }) = state.form.request() {
                    let start = state.start;
                    self.begin_alone(Command::Estimate { config, start });
                }
            }
            Intent::Preview(subject) => self.preview(subject),
            Intent::Forget(id) => self.tell(None, Command::ForgetRun { id }),
            Intent::RandomInit(arch) => {
                let seed = self.now().form.request().unwrap_or_default().config.seed;
                self.begin_alone(Command::RandomInit { arch, seed });
            }
            Intent::Cancel(job) => self.cancel(job),
            Intent::CancelReading => {
                self.reading.set(self.reading.get() + 1);
                self.act(Action::Reading(None));
            }
            Intent::Csv => self.save_csv(),
            Intent::UseNewVersion => {
                let controller = self.clone();
                offline::use_new_version(Callback::from(move |intent| controller.perform(intent)));
            }
        }
    }

    /// Does what the reducer left to be done. A list that grows before it is known to be done comes again with
    /// what was done already, which is passed over.
    pub fn carry_out(&self, effects: &[Effect]) {
        let done = self.effect.get();
        let Some(last) = effects.last().map(|effect| effect.id.max(done)) else {
            return;
        };
        self.effect.set(last);
        self.act(Action::EffectsTaken(last));
        for effect in effects.iter().filter(|effect| effect.id > done) {
            match effect.kind {
                EffectKind::Restart(device) => {
                    self.bridge.restart(device);
                    self.act(Action::Restarted);
                    self.open_again();
                }
                EffectKind::Continue => {
                    self.begin(JobStarted::Continue, &[], |_| Command::Continue);
                }
            }
        }
    }

    fn act(&self, action: Action) {
        self.state.dispatch(action);
    }

    /// The state as it is now. A fresh handle: one that is kept also keeps every state it was asked for.
    fn now(&self) -> UseReducerHandle<State> {
        self.state.clone()
    }

    fn tell(&self, job: Option<JobId>, command: Command) {
        self.bridge.send(job, command, &Array::new());
    }

    fn begin(
        &self,
        began: JobStarted,
        found: &[Found<File>],
        command: impl FnOnce(Vec<FileRef>) -> Command,
    ) -> JobId {
        let job = self.bridge.next_job();
        let command = command(refs(found));
        let files: Array = found.iter().map(|f| &f.file).collect();
        self.act(Action::JobStarted(job, began));
        self.bridge.send(Some(job), command, &files);
        job
    }

    /// Begins the job of a command without files, which must be alone; says so where it cannot.
    fn begin_alone(&self, command: Command) {
        if let Some(kind) = JobKind::of(&command).filter(|kind| self.may_begin(*kind)) {
            self.begin(JobStarted::Other(kind), &[], |_| command);
        }
    }

    /// Whether a job that must be alone can begin; says why not.
    fn may_begin(&self, kind: JobKind) -> bool {
        let idle = self.now().idle();
        if !idle {
            let text = if self.now().usable() {
                "Something else is running: wait for it, stop it or cancel it first."
            } else {
                "The engine does not run."
            };
            self.act(Action::Notify(kind.section(), text.to_owned()));
        }
        idle
    }

    fn classify(&self, mut found: Vec<Found<File>>) {
        if found.is_empty() {
            return;
        }
        if !self.now().usable() {
            let text = "The engine does not run, so nothing can be classified.".to_owned();
            self.act(Action::Notify(Section::Classify, text));
            return;
        }
        intake::tell_apart(&mut found);
        if let Some(old) = self.now().job(JobKind::Classify) {
            self.tell(Some(old.id), Command::Cancel);
        }
        self.given.replace(found.clone());
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
        self.begin(JobStarted::Classify(rows), &found, |files| {
            Command::Classify { files }
        });
    }

    fn import(&self, file: Found<File>, configs: Vec<Found<File>>) {
        self.import_with(file, configs, None);
    }

    /// Imports a checkpoint, with names for its outputs where the user gives them.
    fn import_with(
        &self,
        file: Found<File>,
        configs: Vec<Found<File>>,
        classes: Option<Vec<String>>,
    ) {
        if !self.may_begin(JobKind::Import) {
            return;
        }
        let found = [std::slice::from_ref(&file), &configs].concat();
        let began = JobStarted::Other(JobKind::Import);
        let job = self.begin(began, &found, |mut files| {
            let beside = files.split_off(1);
            Command::Import {
                file: files.remove(0),
                arch: None,
                classes,
                input: InputSettings::default(),
                to_train: false,
                beside,
            }
        });
        let in_use = self.now().imported;
        let mut imported = self.imported.borrow_mut();
        imported.retain(|old| Some(old.job) == in_use);
        imported.push(Imported { job, file, configs });
    }

    /// Imports the checkpoint in use again, with names for its outputs.
    fn import_again(&self, classes: Vec<String>) {
        if classes.is_empty() {
            let text = "Give the names first, one a line.".to_owned();
            return self.act(Action::Notify(Section::Model, text));
        }
        let in_use = self.now().imported;
        let imported = self.imported.borrow().clone();
        let imported = imported.into_iter().find(|old| Some(old.job) == in_use);
        if let Some(Imported { file, configs, .. }) = imported {
            self.import_with(file, configs, Some(classes));
        }
    }

    fn save_csv(&self) {
        let text = csv::csv(&self.now().batch, self.now().model.as_ref());
        // The constructor for parts takes text as it takes bytes.
        if files::save(&text.into(), "text/csv", "predictions.csv").is_none() {
            let text = "The browser did not take the file.".to_owned();
            self.act(Action::Notify(Section::Classify, text));
        }
    }
}

/// What a command calls these files, in their order.
fn refs(found: &[Found<File>]) -> Vec<FileRef> {
    let refs = found.iter().zip(0..).map(|(f, slot)| FileRef {
        path: f.path.clone(),
        slot,
    });
    refs.collect()
}
