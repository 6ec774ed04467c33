//! The backbones, their weights, and the heads put on them.

#[cfg(feature = "engine")]
pub mod backbone;
#[cfg(feature = "engine")]
pub mod head;
#[cfg(feature = "engine")]
pub mod inspect;
#[cfg(feature = "engine")]
pub mod resnet;
pub mod weights;
