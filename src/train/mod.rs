//! Training a head on cached features, and measuring it.

pub mod cache;
pub mod metrics;
pub mod run;
