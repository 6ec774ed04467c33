//! The CPU twins of the kernels: plain loops with sums in `f64`, the definition of what a kernel computes.
//!
//! Each function takes `f32` or `f64` numbers: the ones a kernel gets, to compare with it, or the ones that
//! finite differences need. A tensor of another length than its shape says is a bug, hence a panic.

pub mod compare;
pub mod conv;
pub mod norm;
pub mod pool;
pub mod preprocess;

pub use conv::ConvShape;
pub use pool::PoolShape;

/// A number that a twin takes.
pub trait Number: Copy + Into<f64> {}

impl<T: Copy + Into<f64>> Number for T {}

#[track_caller]
fn check<T>(name: &str, tensor: &[T], length: usize) {
    assert_eq!(tensor.len(), length, "values of {name}");
}
