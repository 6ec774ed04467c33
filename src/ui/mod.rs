//! The page. What it shows is one value ([`state::State`]), changed by one pure reducer; whatever
//! touches the browser stands apart from it, so that the reducer is tested natively.
//!
//! The page never links the tensors: it paints at once while the worker loads them, and talks to the
//! worker only in the words of [`crate::protocol`].

pub mod anatomy;
pub mod chart;
pub mod csv;
pub mod form;
pub mod intake;
pub mod jobs;
pub mod predictions;
pub mod received;
pub mod shared;
pub mod state;
pub mod text;
pub mod training;

#[cfg(target_arch = "wasm32")]
mod app;
#[cfg(target_arch = "wasm32")]
mod awake;
#[cfg(target_arch = "wasm32")]
mod bridge;
#[cfg(target_arch = "wasm32")]
mod components;
#[cfg(target_arch = "wasm32")]
mod controller;
#[cfg(target_arch = "wasm32")]
mod files;
#[cfg(target_arch = "wasm32")]
mod launch;
#[cfg(target_arch = "wasm32")]
mod listen;
#[cfg(target_arch = "wasm32")]
mod offline;
#[cfg(target_arch = "wasm32")]
mod property;
#[cfg(target_arch = "wasm32")]
mod timing;

#[cfg(target_arch = "wasm32")]
pub use app::start;
