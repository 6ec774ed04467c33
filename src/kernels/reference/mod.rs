//! The CPU twins of the kernels: plain loops with sums in `f64`, the definition of what a kernel computes.
//!
//! Each function takes `f32` or `f64` numbers: the ones a kernel gets, to compare with it, or the ones that
//! finite differences need. A tensor of another length than its shape says is a bug, hence a panic.

pub mod compare;

/// A number that a twin takes.
pub trait Number: Copy + Into<f64> {}

impl<T: Copy + Into<f64>> Number for T {}

/// Asserts the length of a tensor.
///
/// # Panics
/// If it is another.
#[track_caller]
pub fn check<T>(name: &str, tensor: &[T], length: usize) {
    assert_eq!(tensor.len(), length, "values of {name}");
}
