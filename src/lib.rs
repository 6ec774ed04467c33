//! Retune fine-tunes a pretrained `ResNet` on a user's own images, in a browser tab or natively.
//!
//! One library behind two thin doors: a page (`ui`, and a worker that owns the device) and a command
//! line. Nothing here uploads anything.
//!
//! To classify, a [`Classifier`] is enough:
//!
//! ```
//! use retune::data::demo;
//! use retune::image::encode_png;
//! use retune::{Classifier, Device};
//!
//! # pollster::block_on(async {
//! let classifier = Classifier::bundled(&Device::flex()).await?; // on the CPU
//! let forest = encode_png(&demo::draw(1, 0, 160, 7))?; // or the bytes of a photo
//! let probabilities = classifier.classify("forest.png", &forest).await?;
//! for (class, probability) in classifier.classes.iter().zip(&probabilities) {
//!     println!("{class}: {probability:.3}");
//! }
//! assert!(probabilities[1] > 0.5);
//! # retune::Result::Ok(())
//! # }).unwrap();
//! ```
//!
//! To train, an [`Engine`] is asked by [`Command`]s, of which [`Command::Train`] has a [`TrainConfig`], and
//! answers with [`Event`]s: `examples/finetune.rs`. What it is made of can be used alone as well:
//! `examples/custom_head.rs`. `ARCHITECTURE.md` tells what each module is for.

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
pub mod network;
#[cfg(feature = "data")]
pub mod onnx;
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

#[cfg(feature = "engine")]
pub use burn::tensor::Device;
pub use config::TrainConfig;
#[cfg(feature = "engine")]
pub use engine::Engine;
pub use error::{Error, Result};
#[cfg(feature = "engine")]
pub use infer::Classifier;
pub use protocol::{Command, Event};
