//! The two kernels that measure what an adapter can do at most, for `benches/kernels`.

use super::kernel::{Kernel, kernels};
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

/// Chains of multiply-adds; tunable `FUSED`.
const FMA: Shader = shader!("peak_fma", [256, 1, 1], PeakFmaParams);
/// A copy, four values an invocation.
const COPY: Shader = shader!("peak_copy", [256, 1, 1], PeakCopyParams);

/// Every kernel file of this module.
pub const SHADERS: &[Shader] = &[COPY, FMA];

kernels! {
    /// The copy.
    pub COPYING = Kernel::of(&COPY);
    /// Multiply-adds as `fma()`.
    pub FUSED = fma(true);
    /// Multiply-adds as `x * a + b`.
    pub PLAIN = fma(false);
}

fn fma(fused: bool) -> Kernel {
    Kernel::new(&FMA.source().set("FUSED", fused), FMA.workgroup)
}
