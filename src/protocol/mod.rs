//! What page, worker and command line say to each other. Plain data: no burn, no web.
//!
//! Bytes do not go through JSON. A file the user gave travels beside the command as a handle (a JS
//! `File`, or a path natively) and is named by its place in that list, a [`FileRef`]'s `slot`. Bytes
//! that the engine makes travel beside the event in the same way, as blobs.

mod command;
mod event;
mod report;

pub use command::*;
pub use event::*;
pub use report::*;

use serde::{Deserialize, Serialize};

/// Names a long job; events of a job that is no longer shown are dropped by the reducer.
pub type JobId = u32;

/// The job of [`Command::Start`], which comes before any other.
pub const START: JobId = 0;

/// A thread of the worker's pool is a worker too, with the worker's name and this behind it; of the same name is the channel
/// on which it tells the page that it died.
pub const THREAD_SUFFIX: &str = "/thread";

/// A command or an event with the job that it belongs to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message<T> {
    /// The job; none for what is about no long job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<JobId>,
    /// What is said.
    #[serde(flatten)]
    pub body: T,
}

/// Of no job.
impl<T> From<T> for Message<T> {
    fn from(body: T) -> Self {
        Self { job: None, body }
    }
}
