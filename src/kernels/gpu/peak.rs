//! The two kernels that measure what an adapter can do at most, for `benches/kernels`.

use super::params::params;
use super::source::{Shader, shader};

params! {
    /// `peak_fma.wgsl`.
    pub struct PeakFmaParams {
        /// I: as many results as invocations.
        pub invocations: u32,
        /// Eights of steps.
        pub rounds: u32,
        /// What a step multiplies with.
        pub factor: f32,
        /// What a step adds.
        pub addend: f32,
    }
}

params! {
    /// `peak_copy.wgsl`.
    pub struct PeakCopyParams {
        /// I: fours of values.
        pub elements: u32,
    }
}

/// Chains of multiply-adds.
pub const FMA: Shader = shader!("peak_fma", [256, 1, 1], PeakFmaParams);
/// A copy, four values an invocation.
pub const COPY: Shader = shader!("peak_copy", [256, 1, 1], PeakCopyParams);

/// Every kernel file of this module.
pub const SHADERS: &[Shader] = &[COPY, FMA];
