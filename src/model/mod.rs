//! The backbones, their weights, and the heads put on them.

pub mod weights;
