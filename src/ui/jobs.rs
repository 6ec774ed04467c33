//! What the page waits for, and what it says about that: running jobs, their progress, notices.

use crate::protocol::{Command, JobId, Phase};

/// The sections of the page; a notice is shown in the one it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Above all others.
    Page,
    /// Images and their labels.
    Classify,
    /// The data set.
    Data,
    /// Settings and curves.
    Train,
    /// Accuracy and confusion.
    Evaluate,
    /// The model in use.
    Model,
}

impl Section {
    /// Those that the header links to, in the page's order.
    pub const LINKED: [Self; 5] = [
        Self::Classify,
        Self::Data,
        Self::Train,
        Self::Evaluate,
        Self::Model,
    ];

    /// The `id` of its element.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Page => "app",
            Self::Classify => "classify",
            Self::Data => "data",
            Self::Train => "train",
            Self::Evaluate => "evaluate",
            Self::Model => "model",
        }
    }

    /// Its heading.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Page => "Retune",
            Self::Classify => "Classify",
            Self::Data => "Data",
            Self::Train => "Train",
            Self::Evaluate => "Evaluate",
            Self::Model => "Model",
        }
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobKind {
    /// Opening the device and loading the model; its id is 0.
    Start,
    /// Classifying images.
    Classify,
    /// Opening a data set.
    Dataset,
    /// Training, or going on with one.
    Train,
    /// Measuring the model.
    Evaluate,
    /// Loading a checkpoint from a file.
    Import,
    /// Naming the outputs of the model in use.
    NameOutputs,
    /// Saying how the images of the model in use are prepared.
    SetInput,
    /// Downloading pretrained weights.
    Download,
    /// Handing out the model.
    Export,
    /// Timing a step of a training.
    Estimate,
    /// Showing what an augmentation does.
    Preview,
    /// Putting random weights in use.
    RandomInit,
    /// Putting a bundled model in use.
    UseBundled,
}

impl JobKind {
    /// What a command begins; nothing if it is about another job, or done at once.
    #[must_use]
    pub const fn of(command: &Command) -> Option<Self> {
        Some(match command {
            Command::Start { .. } => Self::Start,
            Command::Classify { .. } => Self::Classify,
            Command::OpenDataset { .. } => Self::Dataset,
            Command::Train { .. } | Command::Continue => Self::Train,
            Command::Evaluate => Self::Evaluate,
            Command::Import { .. } => Self::Import,
            Command::NameClasses { .. } => Self::NameOutputs,
            Command::SetInput { .. } => Self::SetInput,
            Command::Download { .. } => Self::Download,
            Command::Export { .. } => Self::Export,
            Command::Estimate { .. } => Self::Estimate,
            Command::Preview { .. } => Self::Preview,
            Command::RandomInit { .. } => Self::RandomInit,
            Command::UseBundled { .. } => Self::UseBundled,
            _ => return None,
        })
    }

    /// Where its progress and its errors are shown.
    #[must_use]
    pub const fn section(self) -> Section {
        match self {
            Self::Start => Section::Page,
            Self::Classify => Section::Classify,
            Self::Dataset => Section::Data,
            Self::Train | Self::Estimate | Self::Preview => Section::Train,
            Self::Evaluate => Section::Evaluate,
            Self::Import
            | Self::NameOutputs
            | Self::SetInput
            | Self::Download
            | Self::Export
            | Self::RandomInit
            | Self::UseBundled => Section::Model,
        }
    }

    /// Whether what it warns of is about the model that it puts in use.
    #[must_use]
    pub const fn brings_model(self) -> bool {
        matches!(
            self,
            Self::Import
                | Self::NameOutputs
                | Self::SetInput
                | Self::Download
                | Self::RandomInit
                | Self::UseBundled
        )
    }
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// What is counted.
    pub phase: Phase,
    /// Done so far.
    pub done: u64,
    /// Of how many; 0 where that is not known.
    pub total: u64,
    /// Since the phase began.
    pub milliseconds: f64,
}

/// A running job.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its name in the protocol.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// How far it is, once the engine said so.
    pub progress: Option<Progress>,
}

/// A message in one section of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Names it, to dismiss it.
    pub id: u32,
    /// Where it is shown.
    pub section: Section,
    /// Whether something failed; otherwise work goes on.
    pub error: bool,
    /// The job that put the model in use that it is about; it goes with that model.
    pub model_of: Option<JobId>,
    /// A sentence.
    pub text: String,
}
