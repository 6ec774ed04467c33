//! Why a task failed, with what the exit code follows from.

use crate::error::{Error, ErrorKind};

/// An error of this process, or one that the engine told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What kind of error it is.
    pub kind: ErrorKind,
    /// Its text, complete.
    pub text: String,
}

/// The command line's result.
pub type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// 2 if the command line was wrong, 1 for everything else.
    pub const fn exit_code(&self) -> u8 {
        match self.kind {
            ErrorKind::Setting => 2,
            _ => 1,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind(),
            text: error.to_string(),
        }
    }
}
