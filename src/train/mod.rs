//! Training a head on cached features, or the end of a backbone with it, and measuring it.

pub mod average;
pub mod batches;
pub mod cache;
pub mod cache_plan;
pub mod extraction;
pub mod feature_source;
pub mod finetune;
mod fit;
mod flat;
mod gradients;
pub mod head;
pub mod learner;
pub mod metrics;
pub mod objective;
pub mod optimizer;
pub mod parameters;
mod running;
pub mod schedule;
pub mod teacher;
