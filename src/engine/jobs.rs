//! What the engine does on a command. A job uses the owners (model, data set, history, mailbox); none uses another job,
//! but for the estimate, which asks the training what it will do.

pub(super) mod bench;
pub(super) mod datasets;
pub(super) mod estimate;
pub(super) mod evaluate;
pub(super) mod export;
pub(super) mod models;
pub(super) mod preview;
pub(super) mod training;
