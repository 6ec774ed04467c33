//! The parameters of the pooling kernels, and their files.

use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `max_pool.wgsl`.
    pub struct MaxPoolParams {
        /// N * C.
        pub planes: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// OW.
        pub out_width: u32,
        /// Rows of the window.
        pub kernel_height: u32,
        /// Columns of the window.
        pub kernel_width: u32,
        /// Rows from one window to the next.
        pub stride_height: u32,
        /// Columns from one window to the next.
        pub stride_width: u32,
        /// Rows added above.
        pub pad_top: u32,
        /// Columns added at the left.
        pub pad_left: u32,
    }
}

params! {
    /// `global_avg_pool.wgsl`.
    pub struct GlobalAvgPoolParams {
        /// N * C.
        pub planes: u32,
        /// H * W.
        pub area: u32,
    }
}

/// The largest value under a window.
pub const MAX_POOL: Shader = shader!("max_pool", [64, 1, 1], MaxPoolParams);
/// The mean of a plane.
pub const GLOBAL_AVG_POOL: Shader = shader!("global_avg_pool", [64, 1, 1], GlobalAvgPoolParams);

/// Every kernel file of this op.
pub const SHADERS: &[Shader] = &[GLOBAL_AVG_POOL, MAX_POOL];
