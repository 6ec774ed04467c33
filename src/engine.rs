//! The state machine: a command comes in, work is done, events go out.
//!
//! It owns device, model, data set and features; page and command line only hold what they were told.
//! One job runs at a time; while it does, it polls the [`Mailbox`] for commands between batches.

mod active_model;
mod classify;
mod features;
mod image_loader;
mod jobs;
mod loaded_teacher;
mod mailbox;
mod open_dataset;
mod prepare_kernels;
mod run_history;
mod seen_images;
mod test_accuracy;

use active_model::{ActiveModel, ModelStore};
use loaded_teacher::LoadedTeacher;
pub use mailbox::{Emit, Mailbox, Order};
use open_dataset::OpenDataset;
use prepare_kernels::prepare_kernels;
use run_history::RunHistory;

use crate::config::{DeviceChoice, Transparency};
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::platform::StorageLocation;
use crate::platform::device::{self, OpenDevice};
use crate::platform::files::InputFile;
use crate::protocol::{Command, EngineState, Event, FileRef, Message};

/// Everything that runs.
pub struct Engine {
    mailbox: Mailbox,
    hub: Option<String>,
    /// What becomes of transparency, where the user says.
    transparency: Option<Transparency>,
    store: ModelStore,
    /// Where a training is kept, if it is.
    place: Option<StorageLocation>,
    history: RunHistory,
    device: Option<OpenDevice>,
    model: Option<ActiveModel>,
    /// Another model, for trainings that learn from one.
    teacher: Option<LoadedTeacher>,
    data: Option<OpenDataset>,
}

/// What work on the data set in use needs, each borrowed apart from the others.
struct JobContext<'a> {
    mailbox: &'a mut Mailbox,
    device: &'a OpenDevice,
    model: &'a ActiveModel,
    teacher: Option<&'a LoadedTeacher>,
    data: &'a mut OpenDataset,
}

impl Engine {
    /// An engine that has not started: nothing is open, nothing loaded.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            hub: None,
            transparency: None,
            store: ModelStore { persistent: true },
            place: Some(StorageLocation::Own),
            history: RunHistory::default(),
            device: None,
            model: None,
            teacher: None,
            data: None,
        }
    }

    /// Without memory: starts with the bundled model and keeps nothing, as a command line does.
    #[must_use]
    pub fn ephemeral(mut self) -> Self {
        self.store.persistent = false;
        self.place = None;
        self
    }

    /// An engine [without memory](Self::ephemeral) that is [asked](Self::ask) one thing after another; `emit`
    /// hears what it says. The first command is [`Command::Start`].
    #[must_use]
    pub fn direct(emit: impl Fn(Message<Event>, Vec<Vec<u8>>) + 'static) -> Self {
        // Nobody sends while a command is obeyed, so the mailbox stays empty.
        let (_, inbox) = async_channel::unbounded();
        Self::new(Mailbox::new(inbox, Box::new(emit))).ephemeral()
    }

    /// Works until nobody is left to give commands.
    pub async fn run(mut self) {
        while let Some(order) = self.mailbox.next().await {
            self.handle(order).await;
        }
    }

    /// Obeys one command, of no job, to its end.
    ///
    /// # Errors
    /// The command's own; it was told as an event too, and what was in use before stays in use.
    pub async fn ask(&mut self, command: Command, files: Vec<InputFile>) -> Result<()> {
        let message = command.into();
        self.obey(Order { message, files }).await
    }

    /// Obeys one command. What fails is told as an event, and what was in use before stays in use.
    pub async fn handle(&mut self, order: Order) {
        // An error was told already.
        drop(self.obey(order).await);
    }

    async fn obey(&mut self, Order { message, files }: Order) -> Result<()> {
        let Message { job, body: command } = message;
        self.mailbox.turn_to(job);
        let starting = matches!(command, Command::Start { .. });
        let result = self.work(job, command, &files).await;
        match &result {
            Ok(()) => {}
            Err(Error::Cancelled) => self.mailbox.emit(Event::Cancelled),
            Err(error) => self.mailbox.fail(error),
        }
        if starting && result.is_err() {
            self.mailbox.set_state(EngineState::Failed);
        } else if self.model.is_some() {
            self.mailbox.set_state(EngineState::Ready);
        }
        result
    }

    /// Opens the device and loads the model.
    async fn start(&mut self, choice: DeviceChoice, hub: Option<String>) -> Result<()> {
        self.hub = hub;
        let opened = device::open(choice).await?;
        self.mailbox.emit(Event::Device {
            backend: opened.backend,
            name: opened.name.clone(),
            note: opened.note.clone(),
        });
        self.device = Some(opened);
        self.load_persisted_or_bundled().await?;
        let classifier = self.model()?.classifier.clone();
        self.prepare_kernels(&classifier).await?;
        self.history = RunHistory::load(self.store.persistent, &self.mailbox).await;
        self.tell_interrupted().await;
        Ok(())
    }

    /// Keeps trainings in a folder from now on, natively, in place of its own store, and says whether there is one to
    /// go on with.
    pub async fn use_checkpoint_dir(&mut self, folder: &str) {
        self.place = Some(StorageLocation::Folder(folder.to_string()));
        self.tell_interrupted().await;
    }

    /// Tunes and tests the kernels that a model runs on.
    async fn prepare_kernels(&mut self, classifier: &Classifier) -> Result<()> {
        let device = self.device.as_ref().ok_or_else(no_device)?;
        let persistent = self.store.persistent;
        prepare_kernels(&mut self.mailbox, device, persistent, classifier).await
    }

    /// Puts a whole model aside as the teacher.
    async fn teach(&mut self, file: &FileRef, files: &[InputFile]) -> Result<()> {
        let device = self.device.as_ref().ok_or_else(no_device)?;
        let (mailbox, persistent) = (&mut self.mailbox, self.store.persistent);
        let teacher = LoadedTeacher::load(mailbox, device, persistent, file, files).await?;
        self.teacher = Some(teacher);
        self.mailbox.emit(Event::Finished);
        Ok(())
    }

    fn device(&self) -> Result<&OpenDevice> {
        self.device.as_ref().ok_or_else(no_device)
    }

    fn model(&self) -> Result<&ActiveModel> {
        self.model.as_ref().ok_or_else(no_model)
    }

    /// The model in use, and whom its answers are told.
    fn with_model(&mut self) -> Result<(&mut Mailbox, &ActiveModel)> {
        let model = self.model.as_ref().ok_or_else(no_model)?;
        Ok((&mut self.mailbox, model))
    }

    fn data(&mut self) -> Result<&mut OpenDataset> {
        self.data.as_mut().ok_or_else(no_data)
    }

    /// All of it at once, once there is a data set: opening one needs a model, and that a device.
    fn context(&mut self) -> Result<JobContext<'_>> {
        match (&self.device, &self.model, &mut self.data) {
            (Some(device), Some(model), Some(data)) => Ok(JobContext {
                mailbox: &mut self.mailbox,
                device,
                model,
                teacher: self.teacher.as_ref(),
                data,
            }),
            _ => Err(no_data()),
        }
    }
}

fn no_device() -> Error {
    Error::Gpu("no device is open yet".to_string())
}

fn no_model() -> Error {
    Error::weights("model", "none is loaded yet")
}

fn no_data() -> Error {
    Error::Dataset("open a data set first".to_string())
}

/// The handle of a named file.
fn find<'a>(file: &FileRef, files: &'a [InputFile]) -> Result<&'a InputFile> {
    let found = files.get(file.slot as usize);
    found.ok_or_else(|| Error::Storage(format!("{}: the file did not come along", file.path)))
}
