//! One error for the whole crate. Every variant names what it is about (file, tensor, device), because
//! the text is shown to the user as it stands, next to the thing that failed.

/// What can go wrong. The message is complete: a caller adds nothing to it and shows it once.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file could not be turned into an image.
    #[error("{file}: {reason}")]
    Decode {
        /// Path or name, as the user gave it.
        file: String,
        /// Why, in plain words.
        reason: String,
    },
    /// A checkpoint is unusable; the reason names the tensor.
    #[error("{file}: {reason}")]
    Weights {
        /// Path or name of the checkpoint.
        file: String,
        /// Why, naming the tensor where one is to blame.
        reason: String,
    },
    /// A shape or a setting is outside what the operation accepts.
    #[error("{what}: {reason}")]
    Shape {
        /// The operation, tensor or setting.
        what: String,
        /// What was expected and what came.
        reason: String,
    },
    /// The GPU could not be opened, failed a command, or was lost.
    #[error("GPU: {0}")]
    Gpu(String),
    /// A data set that cannot be used as it is.
    #[error("{0}")]
    Dataset(String),
    /// Reading or writing files, browser storage, or the network.
    #[error("{0}")]
    Storage(String),
    /// The user asked for it to stop.
    #[error("cancelled")]
    Cancelled,
}

/// The crate's result.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An [`Error::Decode`].
    pub fn decode(file: impl Into<String>, reason: impl ToString) -> Self {
        Self::Decode {
            file: file.into(),
            reason: reason.to_string(),
        }
    }

    /// An [`Error::Weights`].
    pub fn weights(file: impl Into<String>, reason: impl ToString) -> Self {
        Self::Weights {
            file: file.into(),
            reason: reason.to_string(),
        }
    }

    /// An [`Error::Shape`].
    pub fn shape(what: impl Into<String>, reason: impl ToString) -> Self {
        Self::Shape {
            what: what.into(),
            reason: reason.to_string(),
        }
    }

    /// The reason without the file's name, for a list that shows the name in its own column.
    #[must_use]
    pub fn reason(&self) -> String {
        match self {
            Self::Decode { reason, .. } | Self::Weights { reason, .. } => reason.clone(),
            other => other.to_string(),
        }
    }
}
