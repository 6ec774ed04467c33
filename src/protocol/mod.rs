//! What page, worker and command line say to each other. Plain data: no burn, no web.
//!
//! Bytes do not go through JSON. A file the user gave travels beside the command as a handle (a JS
//! `File`, or a path natively) and is named by its place in that list, a [`FileRef`]'s `slot`. Bytes
//! that the engine makes travel beside the event in the same way, as blobs.

mod command;
mod event;
mod report;

pub use command::{Columns, Command, DatasetSource, ExportKind, FileRef, Labels, Part};
pub use event::{Event, Phase};
pub use report::{
    Backend, ClassCount, DatasetSummary, EngineState, EpochReport, Estimate, Evaluation,
    Interrupted, Leak, LeakKind, ModelSummary, Reading, Run, Share, Skipped, TableSummary,
};

/// Names a long job; events of a job that is no longer shown are dropped by the reducer.
pub type JobId = u32;
