//! Training a head on cached features, or the end of a backbone with it, and measuring it.

pub mod cache;
mod epochs;
pub mod inputs;
pub mod metrics;
pub mod run;
pub mod tune;
