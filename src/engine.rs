//! The state machine: a command comes in, work is done, events go out.
//!
//! It owns device, model, data set and features; page and command line only hold what they were told.
//! One job runs at a time; while it does, it polls the [`Mailbox`] for commands between batches.

mod checkpoint;
mod classify;
mod data;
mod estimate;
mod evaluate;
mod export;
mod features;
mod finetune;
mod head;
mod image_loader;
mod install;
mod kernels;
mod mailbox;
mod measure;
mod model;
mod observer;
mod preview;
mod runs;
mod teach;
mod train;

use crate::config::{Augment, DemoConfig, Transparency};
use crate::data::Dataset;
use crate::error::{Error, Result};
use crate::infer::Classifier;
use crate::platform::StorageLocation;
use crate::platform::device::{self, OpenDevice};
use crate::platform::files::InputFile;
use crate::protocol::{Command, EngineState, Event, FileRef, Message, Run};
use crate::train::cache::FeatureCache;

pub use mailbox::{Emit, Mailbox, Order};
use model::Origin;
use teach::LoadedTeacher;

/// Everything that runs.
pub struct Engine {
    mailbox: Mailbox,
    hub: Option<String>,
    /// What becomes of transparency, where the user says.
    transparency: Option<Transparency>,
    /// Whether the model in use is kept for the next start.
    persistent: bool,
    /// Where a training is kept, if it is.
    place: Option<StorageLocation>,
    /// Earlier trainings, in figures.
    runs: Vec<Run>,
    opened: Option<OpenDevice>,
    model: Option<Model>,
    /// Another model, for trainings that learn from one.
    teacher: Option<LoadedTeacher>,
    data: Option<Data>,
}

/// The model in use and where it came from.
struct Model {
    classifier: Classifier,
    origin: Origin,
    /// What the page calls it.
    source: String,
    /// The run that it is of.
    run: Option<u64>,
}

/// The data set in use and what is known of it.
struct Data {
    set: Dataset,
    cache: FeatureCache,
    /// The validation samples of the last training on it.
    validation: Vec<usize>,
    /// Features of augmented images.
    views: Option<Views>,
    /// What the demo set was drawn with, if it is that.
    demo: Option<DemoConfig>,
}

/// What work on the data set in use needs, each borrowed apart from the others.
struct JobContext<'a> {
    mailbox: &'a mut Mailbox,
    opened: &'a OpenDevice,
    classifier: &'a Classifier,
    teacher: Option<&'a LoadedTeacher>,
    data: &'a mut Data,
}

/// Features of augmented images.
struct Views {
    augment: Augment,
    seed: u64,
    size: usize,
    cache: FeatureCache,
}

impl Engine {
    /// An engine that has not started: nothing is open, nothing loaded.
    #[must_use]
    pub fn new(mailbox: Mailbox) -> Self {
        Self {
            mailbox,
            hub: None,
            transparency: None,
            persistent: true,
            place: Some(StorageLocation::Own),
            runs: Vec::new(),
            opened: None,
            model: None,
            teacher: None,
            data: None,
        }
    }

    /// Without memory: starts with the bundled model and keeps nothing, as a command line does.
    #[must_use]
    pub fn ephemeral(mut self) -> Self {
        self.persistent = false;
        self.place = None;
        self
    }

    /// Keeps trainings in a folder, natively, in place of its own store.
    #[must_use]
    pub fn with_checkpoint_dir(mut self, folder: &str) -> Self {
        self.place = Some(StorageLocation::Folder(folder.to_string()));
        self
    }

    /// Works until nobody is left to give commands.
    pub async fn run(mut self) {
        while let Some(order) = self.mailbox.next().await {
            self.handle(order).await;
        }
    }

    /// Obeys one command. What fails is told as an event, and what was in use before stays in use.
    pub async fn handle(&mut self, Order { message, files }: Order) {
        let Message { job, body: command } = message;
        self.mailbox.turn_to(job);
        let starting = matches!(command, Command::Start { .. });
        let result = match command {
            Command::Start {
                device,
                hub,
                transparency,
            } => {
                self.transparency = transparency;
                self.start(device, hub).await
            }
            Command::Samples => self.samples(),
            Command::Classify { files: named } => self.classify(&named, &files).await,
            Command::OpenDataset {
                source,
                beside,
                labels,
            } => self.open_dataset(source, &beside, labels, &files).await,
            Command::Train { config, seeds } => self.train(&config, seeds).await,
            Command::Continue => self.continue_training().await,
            Command::Discard => self.discard().await,
            Command::Estimate { config } => self.estimate(&config).await,
            Command::Preview {
                file,
                image,
                augment,
                seed,
                views,
            } => {
                let asked = preview::Asked {
                    image,
                    augment,
                    seed,
                    views,
                };
                self.preview(file.as_ref(), &files, &asked).await
            }
            Command::RandomInit { arch, seed } => self.random_init(arch, seed).await,
            Command::ForgetRun { id } => self.forget_run(id).await,
            Command::Evaluate => self.evaluate().await,
            Command::Import {
                file,
                arch,
                classes,
                input,
            } => {
                let told = (classes, input);
                self.import(&file, arch, told, &files).await
            }
            Command::NameClasses { classes } => self.name_classes(classes).await,
            Command::SetInput { input } => self.set_input(input).await,
            Command::Teach { file } => self.teach(&file, &files).await,
            Command::Download { arch } => self.download(arch).await,
            Command::Export { what } => self.export(what).await,
            Command::Reset => self.reset().await,
            Command::MeasureHead {
                samples,
                features,
                hidden,
                epochs,
            } => self.measure_head([samples, features], hidden, epochs).await,
            Command::MeasureForward { size, batch, runs } => {
                self.measure_forward(size, batch, runs).await
            }
            Command::MeasureFineTune { size, batch, steps } => {
                self.measure_fine_tune(size, batch, steps).await
            }
            Command::Cancel => {
                self.mailbox.drop_waiting(job);
                Ok(())
            }
            // Late: the job they speak of is over.
            Command::Pause | Command::Resume | Command::Stop => Ok(()),
        };
        let failed = result.is_err();
        match result {
            Ok(()) => {}
            Err(Error::Cancelled) => self.mailbox.emit(Event::Cancelled),
            Err(error) => self.mailbox.fail(&error),
        }
        if starting && failed {
            self.mailbox.set_state(EngineState::Failed);
        } else if self.model.is_some() {
            self.mailbox.set_state(EngineState::Ready);
        }
    }

    /// Opens the device and loads the model.
    async fn start(
        &mut self,
        choice: crate::config::DeviceChoice,
        hub: Option<String>,
    ) -> Result<()> {
        self.hub = hub;
        let opened = device::open(choice).await?;
        self.mailbox.emit(Event::Device {
            backend: opened.backend,
            name: opened.name.clone(),
            note: opened.note.clone(),
        });
        self.opened = Some(opened);
        self.load_persisted_or_bundled().await?;
        let classifier = self.model()?.classifier.clone();
        self.prepare_kernels(&classifier).await?;
        self.load_runs().await;
        self.tell_interrupted().await;
        Ok(())
    }

    fn opened(&self) -> Result<&OpenDevice> {
        let opened = self.opened.as_ref();
        opened.ok_or_else(|| Error::Gpu("no device is open yet".to_string()))
    }

    fn model(&self) -> Result<&Model> {
        let model = self.model.as_ref();
        model.ok_or_else(|| Error::weights("model", "none is loaded yet"))
    }

    fn data(&mut self) -> Result<&mut Data> {
        let data = self.data.as_mut();
        data.ok_or_else(no_data)
    }

    /// All of it at once, once there is a data set: opening one needs a model, and that a device.
    fn context(&mut self) -> Result<JobContext<'_>> {
        match (&self.opened, &self.model, &mut self.data) {
            (Some(opened), Some(model), Some(data)) => Ok(JobContext {
                mailbox: &mut self.mailbox,
                opened,
                classifier: &model.classifier,
                teacher: self.teacher.as_ref(),
                data,
            }),
            _ => Err(no_data()),
        }
    }
}

fn no_data() -> Error {
    Error::Dataset("open a data set first".to_string())
}

/// The handle of a named file.
fn find<'a>(file: &FileRef, files: &'a [InputFile]) -> Result<&'a InputFile> {
    let found = files.get(file.slot as usize);
    found.ok_or_else(|| Error::Storage(format!("{}: the file did not come along", file.path)))
}
