//! The pooling kernels on a GPU.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::params::{self, GlobalAvgPoolParams, MaxPoolParams};
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, spread};
use crate::kernels::shape::PoolShape;

static MAX_POOL: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&params::MAX_POOL));

static GLOBAL_AVG_POOL: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&params::GLOBAL_AVG_POOL));

/// Whether the self-test took the pools out of use on a GPU.
#[derive(Debug, Default)]
struct Broken(AtomicBool);

/// Takes the pools out of use, or puts them back.
pub fn set_broken(gpu: &Gpu, broken: bool) {
    gpu.part::<Broken>().0.store(broken, Ordering::Relaxed);
}

fn usable(gpu: &Gpu) -> bool {
    gpu.enabled() && !gpu.part::<Broken>().0.load(Ordering::Relaxed)
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
        .launch(&MAX_POOL, workgroups, &[x], &y, &params.words());
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
    x.gpu()
        .launch(&GLOBAL_AVG_POOL, workgroups, &[x], &y, &params.words());
    Some(y)
}
