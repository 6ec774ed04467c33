//! One engine, asked one thing after another.

use std::cell::{Ref, RefCell, RefMut};
use std::path::Path;
use std::rc::Rc;

use super::args::Common;
use super::failure::Result;
use super::label_args::Asked;
use super::output::Output;
use super::train_args::Images;
use super::{dataset, report};
use crate::config::{Arch, BundledModel, InputSettings, StartFrom};
use crate::engine::{Engine, Order};
use crate::error::Error;
use crate::platform::files::InputFile;
use crate::protocol::{
    ClassCount, Command, DatasetSource, DatasetSummary, Evaluation, FileRef, JobId, MODEL_CONFIGS,
    Message, START,
};

/// An engine and what it has said.
pub struct Session {
    engine: Engine,
    output: Rc<RefCell<Output>>,
    job: JobId,
}

impl Session {
    /// Opens the device, loads the model: the one asked for, else the bundled one.
    pub async fn start(common: &Common, output: Output) -> Result<Self> {
        let output = Rc::new(RefCell::new(output));
        let shown = output.clone();
        let engine =
            Engine::direct(move |message, blobs| shown.borrow_mut().show(message.body, blobs));
        let mut session = Self {
            engine,
            output,
            job: START,
        };
        let device = common.device.into();
        let hub = std::env::var("RETUNE_HUB").ok();
        let start = Command::Start {
            device,
            hub,
            transparency: common.transparency,
        };
        session.run(START, start, Vec::new()).await?;
        let (named, input) = (common.model.as_ref(), common.input());
        let classes = common.classes.clone().map(|classes| classes.0);
        let bundled = named.and_then(|path| BundledModel::from_name(path.to_str()?));
        match (named, bundled) {
            (Some(path), None) => {
                let path = path.to_string_lossy();
                session.import(&path, None, classes, input).await?;
            }
            (_, bundled) => {
                let not_yet = |model: &BundledModel| *model != BundledModel::default();
                let bundled = bundled.filter(not_yet);
                let commands = [
                    bundled.map(|model| Command::UseBundled { model }),
                    classes.map(|classes| Command::NameClasses { classes }),
                    (input != InputSettings::default()).then_some(Command::SetInput { input }),
                ];
                for command in commands.into_iter().flatten() {
                    session.handle(command, Vec::new()).await?;
                }
            }
        }
        Ok(session)
    }

    /// Keeps trainings in a folder from now on; one that it holds is what the output then has as interrupted.
    pub async fn keep_trainings_in(&mut self, folder: &Path) {
        self.engine
            .use_checkpoint_dir(&folder.to_string_lossy())
            .await;
    }

    /// Forgets the figures of the trainings so far: those of the next one are its own.
    pub async fn forget_trainings(&mut self) -> Result<()> {
        let ids: Vec<u64> = self.shown().runs.iter().map(|run| run.id).collect();
        for id in ids {
            self.handle(Command::ForgetRun { id }, Vec::new()).await?;
        }
        self.output().forget_training();
        Ok(())
    }

    /// What the engine has said so far.
    pub fn output(&self) -> RefMut<'_, Output> {
        self.output.borrow_mut()
    }

    fn shown(&self) -> Ref<'_, Output> {
        self.output.borrow()
    }

    /// Has a job done.
    pub async fn handle(&mut self, command: Command, files: Vec<InputFile>) -> Result<()> {
        self.job += 1;
        self.run(self.job, command, files).await
    }

    async fn run(&mut self, job: JobId, command: Command, files: Vec<InputFile>) -> Result<()> {
        let message = Message {
            job: Some(job),
            body: command,
        };
        self.engine.handle(Order { message, files }).await;
        self.output().failure.take().map_or(Ok(()), Err)
    }

    /// Classifies one file.
    pub async fn classify(&mut self, path: &Path, file: InputFile) -> Result<()> {
        let files = vec![FileRef {
            path: path.to_string_lossy().into_owned(),
            slot: 0,
        }];
        self.handle(Command::Classify { files }, vec![file]).await
    }

    /// Puts a checkpoint in use.
    pub async fn import(
        &mut self,
        path: &str,
        arch: Option<Arch>,
        classes: Option<Vec<String>>,
        input: InputSettings,
    ) -> Result<()> {
        self.load(path, arch, (classes, input), false).await
    }

    /// Puts a checkpoint in use to train a new head on it.
    pub async fn import_to_train(
        &mut self,
        path: &str,
        arch: Option<Arch>,
        input: InputSettings,
    ) -> Result<()> {
        self.load(path, arch, (None, input), true).await
    }

    async fn load(
        &mut self,
        path: &str,
        arch: Option<Arch>,
        (classes, input): (Option<Vec<String>>, InputSettings),
        to_train: bool,
    ) -> Result<()> {
        let path = &*checkpoint_at(path);
        let (file, mut handles) = opened(path)?;
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        let found = MODEL_CONFIGS.map(|name| InputFile::open(folder.join(name)));
        let mut beside = Vec::new();
        for handle in found.into_iter().flatten() {
            beside.push(FileRef {
                path: handle.name().to_string(),
                slot: handles.len() as u32,
            });
            handles.push(handle);
        }
        let command = Command::Import {
            file,
            beside,
            arch,
            classes,
            input,
            to_train,
        };
        self.handle(command, handles).await
    }

    /// Puts a model aside as the teacher.
    pub async fn teach(&mut self, path: &str) -> Result<()> {
        let (file, handles) = opened(&checkpoint_at(path))?;
        self.handle(Command::Teach { file }, handles).await
    }

    /// Opens a data set.
    ///
    /// # Errors
    /// [`Error::Dataset`] if its labels can be read in several ways and it is not said in which: the text has the
    /// flags for each.
    pub async fn open(&mut self, images: &Images, asked: Asked) -> Result<()> {
        let (source, mut files) = match images {
            Images::At(path) => dataset(path)?,
            Images::Demo(config) => {
                let config = config.clone();
                (DatasetSource::Demo { config }, Vec::new())
            }
        };
        let Asked { labels, beside } = asked;
        let beside: Vec<FileRef> = beside
            .into_iter()
            .map(|(path, handle)| {
                let slot = files.len() as u32;
                files.push(handle);
                FileRef { path, slot }
            })
            .collect();
        let command = Command::OpenDataset {
            source,
            beside,
            labels,
        };
        self.handle(command, files).await?;
        let question = self.shown().summary.as_ref().and_then(report::question);
        question.map_or(Ok(()), |text| Err(Error::Dataset(text).into()))
    }

    /// What was found in the data set in use; nothing where none is.
    pub fn summary(&self) -> DatasetSummary {
        self.shown().summary.clone().unwrap_or_default()
    }

    /// Whether the data set in use has a test set.
    pub fn has_test_images(&self) -> bool {
        self.summary().classes.iter().any(|class| class.test > 0)
    }

    /// The bundled model that a training on the data set in use begins from in place of the model in use.
    pub fn instead(&self, start: StartFrom) -> Option<BundledModel> {
        let shown = self.shown();
        let (model, summary) = shown.model.as_ref().zip(shown.summary.as_ref())?;
        let classes = ClassCount::names(&summary.classes);
        start.instead(model.bundled, &classes)
    }

    /// Puts a bundled model in use, its images prepared as said.
    pub async fn use_bundled(&mut self, model: BundledModel, input: InputSettings) -> Result<()> {
        self.handle(Command::UseBundled { model }, Vec::new())
            .await?;
        if input != InputSettings::default() {
            self.handle(Command::SetInput { input }, Vec::new()).await?;
        }
        Ok(())
    }

    /// Measures the model in use on the data set in use.
    pub async fn evaluate(&mut self) -> Result<Evaluation> {
        self.handle(Command::Evaluate, Vec::new()).await?;
        let report = self.shown().evaluation.clone();
        report.ok_or_else(|| Error::Dataset("the evaluation gave no result".to_string()).into())
    }
}

/// The checkpoint at a path: the file, or the one in a folder as the Hugging Face hub has it.
pub fn checkpoint_at(path: &str) -> String {
    let names = ["model.safetensors", "pytorch_model.bin"];
    let inside = names.map(|name| Path::new(path).join(name));
    let found = inside.iter().find(|file| file.is_file());
    found.map_or_else(
        || path.to_string(),
        |file| file.to_string_lossy().into_owned(),
    )
}

/// The one file that a command speaks of.
fn opened(path: &str) -> Result<(FileRef, Vec<InputFile>)> {
    let handle = InputFile::open(path)?;
    let path = path.to_string();
    Ok((FileRef { path, slot: 0 }, vec![handle]))
}
