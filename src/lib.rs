//! Retune fine-tunes a pretrained `ResNet` on a user's own images, in a browser tab or natively.
//!
//! One library behind two thin doors: a page (`ui`, and a worker that owns the device) and a command
//! line. Nothing here uploads anything.

pub mod classes;
#[cfg(all(feature = "cli", not(target_arch = "wasm32")))]
pub mod cli;
#[cfg(any(feature = "ui", all(feature = "cli", not(target_arch = "wasm32"))))]
pub mod compare;
pub mod config;
#[cfg(feature = "data")]
pub mod data;
#[cfg(feature = "engine")]
pub mod engine;
pub mod error;
mod fnv;
#[cfg(feature = "data")]
pub mod image;
#[cfg(feature = "engine")]
pub mod infer;
#[cfg(feature = "engine")]
pub mod kernels;
#[cfg(feature = "engine")]
pub mod model;
#[cfg(feature = "data")]
pub mod platform;
pub mod protocol;
pub mod random;
#[cfg(feature = "engine")]
pub mod train;
#[cfg(feature = "ui")]
pub mod ui;
#[cfg(feature = "data")]
pub mod weights;
#[cfg(all(feature = "engine", target_arch = "wasm32"))]
pub mod worker;
