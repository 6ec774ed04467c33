//! Batch norm on burn's GPU backend (Cube): kernels of our own on images that lie channels last, or burn's ops
//! where they do not apply.
//!
//! Of burn's ops it is some 30 passes over memory for both directions. Here the forward pass reads x twice and
//! writes y, the backward pass reads x, dy and, with a `ReLU`, y twice and writes dx: 3 and 7 passes, with a
//! residual 4 and 8.

use burn::backend::tensor::FloatTensor;
use burn::backend::{Cube, TensorMetadata};

use super::autodiff::{
    NormGradients, NormKernels, Normed, Saved, composed_backward, composed_forward,
};
use crate::kernels::fallback::ours_or;
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, Layout, MAX_WORKGROUPS};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};
use crate::kernels::shape::bytes_of;

params! {
    /// Of all kernels of the batch norm.
    pub struct NormParams {
        /// N * H * W.
        pub rows: u32,
        /// C / 4.
        pub columns: u32,
        /// Into how many parts the rows fall for the sums.
        pub slabs: u32,
        /// Rows of each but the last.
        pub slab_rows: u32,
        /// `RESIDUAL`, `RELU`, `MASKED`.
        pub flags: u32,
        /// Added to the variance.
        pub eps: f32,
    }
}

/// A residual is added.
const RESIDUAL: u32 = 1;
/// Negative results become 0.
const RELU: u32 = 2;
/// The gradient of the residual is written.
const MASKED: u32 = 4;

/// Columns and rows of a workgroup.
const WORKGROUP: [u32; 3] = [8, 32, 1];
/// Rows that a workgroup takes at a time: four an invocation.
const BLOCK: usize = 128;
/// Workgroups that the sums are spread over, if there are as many blocks: an H100 has 1056 at a time.
const FILL: usize = 1024;
/// Most slabs: all are put together by one workgroup a column tile.
const MOST_SLABS: usize = 256;

const STATISTICS: Shader = shader!(
    "norm_statistics",
    WORKGROUP,
    NormParams,
    "norm",
    "norm_moments"
);
const MERGE: Shader = shader!("norm_merge", WORKGROUP, NormParams, "norm", "norm_moments");
const APPLY: Shader = shader!("norm_apply", WORKGROUP, NormParams, "norm");
const SUMS: Shader = shader!(
    "norm_gradient_sums",
    WORKGROUP,
    NormParams,
    "norm",
    "norm_sums"
);
const GRADIENT_MERGE: Shader = shader!(
    "norm_gradient_merge",
    WORKGROUP,
    NormParams,
    "norm",
    "norm_sums"
);
const GRADIENT: Shader = shader!("norm_gradient", WORKGROUP, NormParams, "norm");

/// The kernel files of this op.
pub const SHADERS: &[Shader] = &[STATISTICS, MERGE, APPLY, SUMS, GRADIENT_MERGE, GRADIENT];

kernels! {
    STATISTICS_KERNEL = Kernel::of(&STATISTICS);
    MERGE_KERNEL = Kernel::of(&MERGE);
    APPLY_KERNEL = Kernel::of(&APPLY);
    SUMS_KERNEL = Kernel::of(&SUMS);
    GRADIENT_MERGE_KERNEL = Kernel::of(&GRADIENT_MERGE);
    GRADIENT_KERNEL = Kernel::of(&GRADIENT);
}

/// Stands for the batch norm where they are taken out of use.
enum Norms {}

/// Takes the kernels of the batch norm out of use, or puts them back.
pub fn set_broken(gpu: &Gpu, broken: bool) {
    gpu.set_broken::<Norms>(broken);
}

/// A batch on a GPU that the kernels can work on.
struct Batch {
    gpu: Gpu,
    /// `[N,H,W,C]`.
    dims: [usize; 4],
    params: NormParams,
}

impl Batch {
    /// Of images `[N,C,H,W]`; `None` where the kernels do not apply.
    fn of(images: &FloatTensor<Cube>, eps: f64) -> Option<Self> {
        let gpu = Gpu::behind(images)?;
        let [images, channels, height, width] = images.shape().to_vec().try_into().ok()?;
        let usable = gpu.uses::<Norms>() && gpu.adapter().is_hardware();
        let dims = [images, height, width, channels];
        let bytes = bytes_of(&dims);
        // What can be bound has fewer than 2^32 bytes, so that no index and no row overflows.
        if !usable || channels % 4 != 0 || bytes == 0 || bytes > gpu.max_binding() {
            return None;
        }
        let (rows, columns) = (images * height * width, channels / 4);
        let tiles = columns.div_ceil(WORKGROUP[0] as usize);
        let wanted = FILL.div_ceil(tiles).min(MOST_SLABS);
        let slab_rows = rows.div_ceil(wanted).next_multiple_of(BLOCK);
        let params = NormParams {
            rows: u32::try_from(rows).ok()?,
            columns: columns as u32,
            slabs: rows.div_ceil(slab_rows) as u32,
            slab_rows: slab_rows as u32,
            flags: 0,
            eps: eps as f32,
        };
        (tiles <= MAX_WORKGROUPS).then_some(Self { gpu, dims, params })
    }

    /// A tensor like the images.
    fn images(&self) -> Buffer {
        self.gpu.empty(&self.dims)
    }

    /// A tensor `[parts, C]`, of one part `[C]`.
    fn channels(&self, parts: usize) -> Buffer {
        match parts {
            1 => self.gpu.empty(&[self.dims[3]]),
            _ => self.gpu.empty(&[parts, self.dims[3]]),
        }
    }

    /// Queues a kernel, of so many workgroups along the rows.
    fn launch(
        &self,
        kernel: &Kernel,
        along_rows: usize,
        inputs: &[&dyn Binding],
        outputs: &[&dyn Binding],
        flags: u32,
    ) {
        let params = NormParams {
            flags,
            ..self.params
        };
        let tiles = params.columns.div_ceil(WORKGROUP[0]) as usize;
        let workgroups = [tiles, along_rows.min(MAX_WORKGROUPS), 1];
        (self.gpu).launch_to(kernel, workgroups, inputs, outputs, &params.words());
    }

    const fn blocks(&self) -> usize {
        (self.params.rows as usize).div_ceil(BLOCK)
    }

    const fn slabs(&self) -> usize {
        self.params.slabs as usize
    }
}

/// Images `[N,C,H,W]` of the batch's sizes, channels last.
fn laid_out(images: &FloatTensor<Cube>, batch: &Batch) -> Option<Buffer> {
    let images = Buffer::in_layout(images.clone(), Layout::ChannelsLast)?;
    (images.dims() == batch.dims).then_some(images)
}

/// A tensor `[C]`.
fn vector(values: &FloatTensor<Cube>, batch: &Batch) -> Option<Buffer> {
    let values = Buffer::of_primitive(values.clone())?;
    (values.dims() == batch.dims[3..]).then_some(values)
}

/// As [`NormKernels::norm_forward`]; `None` where the kernels do not apply.
fn forward(
    x: &FloatTensor<Cube>,
    [gamma, beta]: [&FloatTensor<Cube>; 2],
    residual: Option<&FloatTensor<Cube>>,
    relu: bool,
    eps: f64,
) -> Option<Normed<Cube>> {
    let batch = Batch::of(x, eps)?;
    let x = laid_out(x, &batch)?;
    let (gamma, beta) = (vector(gamma, &batch)?, vector(beta, &batch)?);
    let residual = match residual {
        Some(residual) => Some(laid_out(residual, &batch)?),
        None => None,
    };
    let partials = batch.channels(2 * batch.slabs());
    let [mean, variance] = [batch.channels(1), batch.channels(1)];
    let y = batch.images();
    batch.launch(&STATISTICS_KERNEL, batch.slabs(), &[&x], &[&partials], 0);
    batch.launch(&MERGE_KERNEL, 1, &[&partials, &x], &[&mean, &variance], 0);
    let flags = if residual.is_some() { RESIDUAL } else { 0 } | if relu { RELU } else { 0 };
    let residual = residual.as_ref().unwrap_or(&x);
    batch.launch(
        &APPLY_KERNEL,
        batch.blocks(),
        &[&x, residual, &gamma, &beta, &mean, &variance],
        &[&y],
        flags,
    );
    Some((
        y.into_images(Layout::ChannelsLast),
        mean.into_primitive(),
        variance.into_primitive(),
    ))
}

/// As [`NormKernels::norm_backward`]; `None` where the kernels do not apply.
fn backward(
    saved: &Saved<Cube>,
    dy: &FloatTensor<Cube>,
    with_residual: bool,
) -> Option<NormGradients<Cube>> {
    let batch = Batch::of(&saved.x, saved.eps)?;
    let x = laid_out(&saved.x, &batch)?;
    let dy = laid_out(dy, &batch)?;
    let y = match &saved.y {
        Some(y) => Some(laid_out(y, &batch)?),
        None => None,
    };
    let gamma = vector(&saved.gamma, &batch)?;
    let mean = vector(&saved.mean, &batch)?;
    let variance = vector(&saved.variance, &batch)?;

    let partials = batch.channels(2 * batch.slabs());
    let [dgamma, dbeta] = [batch.channels(1), batch.channels(1)];
    let coefficients = batch.channels(3);
    let dx = batch.images();
    let relu = if y.is_some() { RELU } else { 0 };
    // Without a ReLU the residual's gradient is dy as it stands.
    let masked = (with_residual && y.is_some()).then(|| batch.images());
    let y = y.as_ref().unwrap_or(&dy);
    batch.launch(
        &SUMS_KERNEL,
        batch.slabs(),
        &[&x, &dy, y, &mean],
        &[&partials],
        relu,
    );
    batch.launch(
        &GRADIENT_MERGE_KERNEL,
        1,
        &[&partials, &gamma, &variance],
        &[&dgamma, &dbeta, &coefficients],
        0,
    );
    let unused = batch.gpu.raw(16);
    let (dresidual, flags): (&dyn Binding, u32) = match &masked {
        Some(masked) => (masked, relu | MASKED),
        None => (&unused, relu),
    };
    batch.launch(
        &GRADIENT_KERNEL,
        batch.blocks(),
        &[&x, &dy, y, &mean, &coefficients],
        &[&dx, dresidual],
        flags,
    );
    let images = |buffer: Buffer| buffer.into_images(Layout::ChannelsLast);
    Some((
        images(dx),
        dgamma.into_primitive(),
        dbeta.into_primitive(),
        images(masked.unwrap_or(dy)),
    ))
}

impl NormKernels for Cube {
    fn norm_forward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        relu: bool,
        eps: f64,
    ) -> Normed<Self> {
        ours_or(
            (x, gamma, beta, residual),
            |(x, gamma, beta, residual)| forward(x, [gamma, beta], residual.as_ref(), relu, eps),
            |(x, gamma, beta, residual)| {
                composed_forward::<Self>(x, gamma, beta, residual, relu, eps)
            },
        )
    }

    fn norm_backward(
        saved: Saved<Self>,
        dy: FloatTensor<Self>,
        with_residual: bool,
    ) -> NormGradients<Self> {
        ours_or(
            (saved, dy),
            |(saved, dy)| backward(saved, dy, with_residual),
            |(saved, dy)| composed_backward(saved, dy),
        )
    }
}
