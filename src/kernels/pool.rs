//! The pools.

use std::sync::LazyLock;

use super::choice;
use super::launch::{Buffer, Kernel, MAX_WORKGROUPS};
use super::params::{GlobalAvgPoolParams, MaxPoolParams};
use super::reference::PoolShape;
use super::source::Source;

const WORKGROUP: usize = 64;

static MAX_POOL: LazyLock<Kernel> = LazyLock::new(|| {
    let text = include_str!("../../shaders/max_pool.wgsl");
    Kernel::new(&Source::new("max_pool", text), [64, 1, 1])
});

static GLOBAL_AVG_POOL: LazyLock<Kernel> = LazyLock::new(|| {
    let text = include_str!("../../shaders/global_avg_pool.wgsl");
    Kernel::new(&Source::new("global_avg_pool", text), [64, 1, 1])
});

/// Workgroups for one invocation an element, in two dimensions where one is too short.
#[must_use]
pub fn spread(elements: usize) -> Option<[usize; 3]> {
    let workgroups = elements.div_ceil(WORKGROUP);
    let x = workgroups.min(MAX_WORKGROUPS);
    let y = workgroups.div_ceil(x.max(1));
    (y <= MAX_WORKGROUPS).then_some([x, y, 1])
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
    let workgroups = spread(elements).filter(|_| choice::pools_enabled())?;
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
        .launch(&MAX_POOL, workgroups, &[x], &y, &params.words());
    Some(y)
}

/// The mean of each plane: `x` `[N,C,H,W]` to `[N,C]`.
#[must_use]
pub fn global_avg_pool(x: &Buffer) -> Option<Buffer> {
    let [images, channels, height, width] = <[usize; 4]>::try_from(x.dims()).ok()?;
    let workgroups = spread(images * channels).filter(|_| choice::pools_enabled())?;
    let y = x.gpu().empty(&[images, channels]);
    let params = GlobalAvgPoolParams {
        planes: (images * channels) as u32,
        area: (height * width) as u32,
    };
    x.gpu()
        .launch(&GLOBAL_AVG_POOL, workgroups, &[x], &y, &params.words());
    Some(y)
}
