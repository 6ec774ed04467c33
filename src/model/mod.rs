//! The backbones, their weights, and the heads put on them.

#[cfg(feature = "engine")]
pub mod arch;
#[cfg(feature = "engine")]
pub mod backbone;
#[cfg(feature = "engine")]
pub mod conv;
#[cfg(feature = "engine")]
pub mod densenet;
#[cfg(feature = "engine")]
pub mod efficientnet;
#[cfg(feature = "engine")]
pub mod head;
#[cfg(feature = "engine")]
pub mod input;
#[cfg(feature = "engine")]
pub mod inspect;
#[cfg(feature = "engine")]
pub mod parts;
#[cfg(feature = "engine")]
pub mod resnet;
#[cfg(feature = "engine")]
pub mod trainable;
pub mod weights;
