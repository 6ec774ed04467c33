//! Networks as values, without tensors: what they are made of, which there are, how large they are, in which order they
//! run.

pub mod builder;
mod check;
pub mod families;
pub mod graph;
pub mod head;
pub mod inspect;
pub mod papers;
pub mod plan;
pub mod scaled;
pub mod shape;

pub use families::Arch;
pub use graph::Graph;
