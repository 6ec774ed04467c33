//! Training a head on cached features, or the end of a backbone with it, and measuring it.

pub mod cache;
mod epochs;
pub mod feed;
pub mod inputs;
pub mod learner;
pub mod metrics;
pub mod objective;
pub mod optimizer;
pub mod parameters;
pub mod run;
pub mod schedule;
mod sums;
pub mod teacher;
pub mod tune;
