//! The pooling kernels on a GPU, for images plane after plane.

use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, spread};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::PoolShape;

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
const MAX_POOL: Shader = shader!("max_pool", [64, 1, 1], MaxPoolParams);
/// The mean of a plane.
const GLOBAL_AVG_POOL: Shader = shader!("global_avg_pool", [64, 1, 1], GlobalAvgPoolParams);

/// The kernel files of this op.
pub const SHADERS: &[Shader] = &[GLOBAL_AVG_POOL, MAX_POOL];

kernels! {
    MAX_POOL_KERNEL = Kernel::of(&MAX_POOL);
    GLOBAL_AVG_POOL_KERNEL = Kernel::of(&GLOBAL_AVG_POOL);
}

/// Stands for the pools where they are taken out of use.
enum Pools {}

/// Takes the pools out of use, or puts them back.
pub fn set_broken(gpu: &Gpu, broken: bool) {
    gpu.set_broken::<Pools>(broken);
}

pub(super) fn usable(gpu: &Gpu) -> bool {
    gpu.uses::<Pools>()
}

/// The largest value under a window: `x` `[N,C,H,W]` to `[N,C,OH,OW]`. Square kernel, same stride and
/// padding on both axes.
#[must_use]
pub fn max_pool(x: &Buffer, kernel: usize, stride: usize, padding: usize) -> Option<Buffer> {
    let [images, channels, height, width] = <[usize; 4]>::try_from(x.dims()).ok()?;
    let shape = PoolShape {
        planes: images * channels,
        size: [height, width],
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
    };
    let [out_height, out_width] = shape.out_size();
    let elements = shape.planes * out_height * out_width;
    let workgroups = spread(elements).filter(|_| usable(&x.gpu()))?;
    let y = x.gpu().empty(&[images, channels, out_height, out_width]);
    let params = MaxPoolParams {
        planes: shape.planes as u32,
        height: height as u32,
        width: width as u32,
        out_height: out_height as u32,
        out_width: out_width as u32,
        kernel_height: kernel as u32,
        kernel_width: kernel as u32,
        stride_height: stride as u32,
        stride_width: stride as u32,
        pad_top: padding as u32,
        pad_left: padding as u32,
    };
    x.gpu()
        .launch(&MAX_POOL_KERNEL, workgroups, &[x], &y, &params.words());
    Some(y)
}

/// The mean of each plane: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_avg_pool(x: &Buffer) -> Option<Buffer> {
    let [images, channels, height, width] = <[usize; 4]>::try_from(x.dims()).ok()?;
    let workgroups = spread(images * channels).filter(|_| usable(&x.gpu()))?;
    let y = x.gpu().empty(&[images, channels]);
    let params = GlobalAvgPoolParams {
        planes: (images * channels) as u32,
        area: (height * width) as u32,
    };
    x.gpu().launch(
        &GLOBAL_AVG_POOL_KERNEL,
        workgroups,
        &[x],
        &y,
        &params.words(),
    );
    Some(y)
}
