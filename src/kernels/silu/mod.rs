//! The `SiLU` of `EfficientNet`, `x / (1 + exp(-x))` (Elfwing et al. 2017, arXiv:1702.03118): differentiable
//! ([`autodiff`]), and on the CPU ([`cpu`]); on a GPU it is burn's.

pub mod autodiff;
pub mod cpu;

pub use autodiff::silu;
