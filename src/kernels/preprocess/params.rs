//! The parameters of the preprocessing kernels, and their files.

use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `preprocess_vertical.wgsl`.
    pub struct PreprocessVerticalParams {
        /// W, of source and result.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
    }
}

params! {
    /// `preprocess_horizontal.wgsl`.
    pub struct PreprocessHorizontalParams {
        /// OH, of source and result.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OW.
        pub out_width: u32,
        /// Words of a row of the taps: start, length and the longest row's weights.
        pub row_length: u32,
        /// Bits after the point of a weight.
        pub shift: u32,
        /// Which image of the batch is written.
        pub image: u32,
    }
}

/// The first pass: columns.
pub const VERTICAL: Shader = shader!("preprocess_vertical", [64, 1, 1], PreprocessVerticalParams);
/// The second pass: rows, and the network's value of every byte.
pub const HORIZONTAL: Shader = shader!(
    "preprocess_horizontal",
    [64, 1, 1],
    PreprocessHorizontalParams
);

/// Every kernel file of this op.
pub const SHADERS: &[Shader] = &[HORIZONTAL, VERTICAL];
