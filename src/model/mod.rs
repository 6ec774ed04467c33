//! The backbones, and the heads put on them.

pub mod backbone;
pub mod head;
pub mod input;
pub mod inspect;
mod ops;
pub mod trainable;

pub use ops::conv_shapes;
