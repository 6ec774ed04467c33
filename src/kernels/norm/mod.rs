//! Batch norm in training: differentiable ([`autodiff`]), on the CPU ([`cpu`]), on a GPU ([`cube`]) and as the
//! `f64` reference ([`mod@reference`]).

pub mod autodiff;
pub mod cpu;
pub mod cube;
pub mod reference;

pub use autodiff::{batch_norm_train, batch_norm_train_act};
