//! The backbones, and the heads put on them.

pub mod arch;
pub mod backbone;
pub mod conv;
pub mod densenet;
pub mod efficientnet;
pub mod head;
pub mod input;
pub mod inspect;
pub mod layers;
pub mod resnet;
pub mod trainable;
