//! The pooling kernels for images that lie channels last, and their gradients: for hardware GPUs, where the
//! convolutions leave images so.
//!
//! They answer `None` for images that lie otherwise; [`super::gpu`] has the kernels for those.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::tensor::CubeTensor;

use super::autodiff::Window;
use super::gpu::usable;
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{
    Binding, Buffer, Gpu, Kernel, Layout, MAX_WORKGROUPS, layout_of, spread,
};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::bytes_of;

params! {
    /// `max_pool_channels_last.wgsl` and `max_pool_gradient.wgsl`.
    pub struct MaxPoolLastParams {
        /// N.
        pub images: u32,
        /// C / 4.
        pub columns: u32,
        /// H.
        pub height: u32,
        /// W.
        pub width: u32,
        /// OH.
        pub out_height: u32,
        /// OW.
        pub out_width: u32,
        /// Rows and columns of the window.
        pub window: u32,
        /// Pixels from one window to the next.
        pub stride: u32,
        /// Pixels added on each side.
        pub padding: u32,
        /// Whether it is to be written where each value came from.
        pub with_places: u32,
    }
}

params! {
    /// `global_avg_pool_channels_last.wgsl` and `global_avg_pool_gradient.wgsl`.
    pub struct GlobalAvgPoolLastParams {
        /// N.
        pub images: u32,
        /// C / 4.
        pub columns: u32,
        /// H * W.
        pub area: u32,
    }
}

const MAX_POOL: Shader = shader!(
    "max_pool_channels_last",
    [64, 1, 1],
    MaxPoolLastParams,
    "max_pool"
);
const MAX_POOL_GRADIENT: Shader = shader!(
    "max_pool_gradient",
    [64, 1, 1],
    MaxPoolLastParams,
    "max_pool"
);
const GLOBAL_AVG_POOL: Shader = shader!(
    "global_avg_pool_channels_last",
    [8, 32, 1],
    GlobalAvgPoolLastParams
);
const GLOBAL_AVG_POOL_GRADIENT: Shader = shader!(
    "global_avg_pool_gradient",
    [64, 1, 1],
    GlobalAvgPoolLastParams
);

/// The kernel files for images that lie channels last.
pub const SHADERS: &[Shader] = &[
    MAX_POOL,
    MAX_POOL_GRADIENT,
    GLOBAL_AVG_POOL,
    GLOBAL_AVG_POOL_GRADIENT,
];

kernels! {
    MAX_POOL_KERNEL = Kernel::of(&MAX_POOL);
    MAX_POOL_GRADIENT_KERNEL = Kernel::of(&MAX_POOL_GRADIENT);
    GLOBAL_AVG_POOL_KERNEL = Kernel::of(&GLOBAL_AVG_POOL);
    GLOBAL_AVG_POOL_GRADIENT_KERNEL = Kernel::of(&GLOBAL_AVG_POOL_GRADIENT);
}

/// Images `[N,C,H,W]` on a GPU for which these kernels are.
struct Images {
    gpu: Gpu,
    /// `[N,C,H,W]`.
    dims: [usize; 4],
}

impl Images {
    /// Whatever way they lie; `None` where the kernels do not apply.
    fn of(x: &CubeTensor) -> Option<Self> {
        let gpu = Gpu::behind(x)?;
        let dims = <[usize; 4]>::try_from(x.shape().to_vec()).ok()?;
        let bytes = bytes_of(&dims);
        // What can be bound has fewer than 2^32 bytes, so that no index overflows.
        let fits = dims[1].is_multiple_of(4) && bytes > 0 && bytes <= gpu.max_binding();
        let hardware = gpu.adapter().is_hardware();
        (fits && hardware && usable(&gpu)).then_some(Self { gpu, dims })
    }

    /// Those that lie channels last, with their memory `[N,H,W,C]`.
    fn lying_so(x: &CubeTensor) -> Option<(Self, Buffer)> {
        let images = Self::of(x)?;
        if layout_of(x) != Some(Layout::ChannelsLast) {
            return None;
        }
        Some((images, Buffer::in_layout(x.clone(), Layout::ChannelsLast)?))
    }

    /// Sizes of a max pooling; `None` where a place is no byte.
    fn pooled(&self, window: Window) -> Option<MaxPoolLastParams> {
        let shape = window.on(self.dims)?;
        let [images, channels, height, width] = self.dims;
        let [out_height, out_width] = shape.out_size();
        (window.kernel <= 16).then_some(MaxPoolLastParams {
            images: images as u32,
            columns: (channels / 4) as u32,
            height: height as u32,
            width: width as u32,
            out_height: out_height as u32,
            out_width: out_width as u32,
            window: window.kernel as u32,
            stride: window.stride as u32,
            padding: window.padding as u32,
            with_places: 0,
        })
    }

    const fn average(&self) -> GlobalAvgPoolLastParams {
        let [images, channels, height, width] = self.dims;
        GlobalAvgPoolLastParams {
            images: images as u32,
            columns: (channels / 4) as u32,
            area: (height * width) as u32,
        }
    }
}

/// The same memory as numbers of another type of 32 bits.
fn retyped(tensor: CubeTensor, dtype: DType) -> CubeTensor {
    CubeTensor { dtype, ..tensor }
}

/// The largest value under a window: `x` `[N,C,H,W]` to `[N,C,OH,OW]`.
#[must_use]
pub fn max_pool(x: &CubeTensor, window: Window) -> Option<CubeTensor> {
    let (images, x) = Images::lying_so(x)?;
    let params = images.pooled(window)?;
    let unused = images.gpu.raw(16);
    run_max_pool(&images, &x, params, &unused)
}

/// The same, with where each value came from: `i32` `[N,OH,OW,C/4]`, a byte a channel, its place in the window.
#[must_use]
pub fn max_pool_with_places(x: &CubeTensor, window: Window) -> Option<[CubeTensor; 2]> {
    let (images, x) = Images::lying_so(x)?;
    let params = MaxPoolLastParams {
        with_places: 1,
        ..images.pooled(window)?
    };
    let sizes = [
        params.images,
        params.out_height,
        params.out_width,
        params.columns,
    ];
    let places = images.gpu.empty(&sizes.map(|n| n as usize));
    let y = run_max_pool(&images, &x, params, &places)?;
    Some([y, retyped(places.into_primitive(), DType::I32)])
}

fn run_max_pool(
    images: &Images,
    x: &Buffer,
    params: MaxPoolLastParams,
    places: &dyn Binding,
) -> Option<CubeTensor> {
    let [n, c, ..] = images.dims;
    let dims = [n, params.out_height as usize, params.out_width as usize, c];
    let workgroups = spread(dims.iter().product::<usize>() / 4)?;
    let y = images.gpu.empty(&dims);
    (images.gpu).launch_to(
        &MAX_POOL_KERNEL,
        workgroups,
        &[x],
        &[&y, places],
        &params.words(),
    );
    Some(y.into_images(Layout::ChannelsLast))
}

/// The gradient of `x` `[N,C,H,W]`, of which only the sizes count, from `dy` `[N,C,OH,OW]`; `None` where
/// [`max_pool_with_places`] did not give the places.
#[must_use]
pub fn max_pool_gradient(
    x: &CubeTensor,
    places: &CubeTensor,
    dy: &CubeTensor,
    window: Window,
) -> Option<CubeTensor> {
    let images = Images::of(x)?;
    let params = images.pooled(window)?;
    let [n, c, h, w] = images.dims;
    let out = [n, params.out_height as usize, params.out_width as usize];
    if places.shape().to_vec() != [out[0], out[1], out[2], c / 4] {
        return None;
    }
    let places = Buffer::of_primitive(retyped(places.clone(), DType::F32))?;
    let dy = Buffer::in_layout(dy.clone(), Layout::ChannelsLast)?;
    if dy.dims() != [out[0], out[1], out[2], c] {
        return None;
    }
    let workgroups = spread(n * h * w * c / 4)?;
    let dx = images.gpu.empty(&[n, h, w, c]);
    let inputs: [&dyn Binding; 2] = [&dy, &places];
    (images.gpu).launch(
        &MAX_POOL_GRADIENT_KERNEL,
        workgroups,
        &inputs,
        &dx,
        &params.words(),
    );
    Some(dx.into_images(Layout::ChannelsLast))
}

/// The mean of each plane: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_avg_pool(x: &CubeTensor) -> Option<CubeTensor> {
    let (images, x) = Images::lying_so(x)?;
    let [n, c, ..] = images.dims;
    let params = images.average();
    let tiles = (params.columns as usize).div_ceil(8);
    if n.max(tiles) > MAX_WORKGROUPS {
        return None;
    }
    let y = images.gpu.empty(&[n, c]);
    (images.gpu).launch(
        &GLOBAL_AVG_POOL_KERNEL,
        [tiles, n, 1],
        &[&x],
        &y,
        &params.words(),
    );
    Some(y.into_primitive())
}

/// The gradient of `x` `[N,C,H,W]`, of which only the sizes and the layout count, from `dy` `[N,C]`.
#[must_use]
pub fn global_avg_pool_gradient(x: &CubeTensor, dy: &CubeTensor) -> Option<CubeTensor> {
    let (images, _) = Images::lying_so(x)?;
    let [n, c, h, w] = images.dims;
    let dy = Buffer::of_primitive(dy.clone()).filter(|dy| dy.dims() == [n, c])?;
    let workgroups = spread(n * h * w * c / 4)?;
    let dx = images.gpu.empty(&[n, h, w, c]);
    (images.gpu).launch(
        &GLOBAL_AVG_POOL_GRADIENT_KERNEL,
        workgroups,
        &[&dy],
        &dx,
        &images.average().words(),
    );
    Some(dx.into_images(Layout::ChannelsLast))
}
