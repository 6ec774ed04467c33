//! One error for the whole crate. Every variant names what it is about (file, tensor, device), because
//! the text is shown to the user as it stands, next to the thing that failed.

use serde::{Deserialize, Serialize};

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
    /// A setting is outside its range, or does not go with another one or with the model.
    #[error("{name}: {reason}")]
    Setting {
        /// The setting.
        name: String,
        /// What was expected and what came.
        reason: String,
    },
    /// A tensor or an image has another shape than the operation accepts.
    #[error("{what}: {reason}")]
    Shape {
        /// The operation or the tensor.
        what: String,
        /// What was expected and what came.
        reason: String,
    },
    /// The loss of a training is no longer a finite number.
    #[error("{0}")]
    Diverged(String),
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

/// The variants of [`Error`] without what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "documented at `Error`")]
pub enum ErrorKind {
    Decode,
    Weights,
    Setting,
    Shape,
    Diverged,
    Gpu,
    Dataset,
    Storage,
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

    /// An [`Error::Setting`].
    pub fn setting(name: impl Into<String>, reason: impl ToString) -> Self {
        Self::Setting {
            name: name.into(),
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

    /// What kind of error it is, for where the error itself does not go: over the wire, into an exit code.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Decode { .. } => ErrorKind::Decode,
            Self::Weights { .. } => ErrorKind::Weights,
            Self::Setting { .. } => ErrorKind::Setting,
            Self::Shape { .. } => ErrorKind::Shape,
            Self::Diverged(_) => ErrorKind::Diverged,
            Self::Gpu(_) => ErrorKind::Gpu,
            Self::Dataset(_) => ErrorKind::Dataset,
            Self::Storage(_) => ErrorKind::Storage,
            Self::Cancelled => ErrorKind::Cancelled,
        }
    }

    /// The same error of a checkpoint, under the name of its file: what was read of it knows the tensor only.
    #[must_use]
    pub fn in_file(self, name: &str) -> Self {
        match self {
            Self::Weights { file, reason } if file != name => {
                Self::weights(name, format!("{file}: {reason}"))
            }
            error => error,
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

    /// The same of an error about this file, whose text may begin with the file's path or name.
    #[must_use]
    pub fn reason_of(&self, path: &str) -> String {
        let reason = self.reason();
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
        let without = |name: &str| Some(reason.strip_prefix(name)?.strip_prefix(": ")?.to_owned());
        without(path).or_else(|| without(name)).unwrap_or(reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_does_not_name_the_file_again() {
        let reason = |text: &str| Error::Storage(text.into()).reason_of("a/cat.jpg");
        for text in [
            "a/cat.jpg: cannot be read",
            "cat.jpg: cannot be read",
            "cannot be read",
        ] {
            assert_eq!(reason(text), "cannot be read");
        }
        assert_eq!(reason("b/cat.jpg: is gone"), "b/cat.jpg: is gone");
    }
}
