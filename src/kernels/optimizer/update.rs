//! One step of all values.

use super::flat::{Flat, workgroups};
use super::segments::{BLOCK, Segments};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Kernel};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `optimizer_adam.wgsl`.
    pub struct OptimizerAdamParams {
        /// Blocks.
        pub blocks: u32,
        /// Where the buffer's cells begin in the table.
        pub cells: u32,
        /// Where its segments begin there.
        pub segments: u32,
        /// What is kept of the mean.
        pub beta_1: f32,
        /// 1 less that.
        pub share_1: f32,
        /// What is kept of the mean of the squares.
        pub beta_2: f32,
        /// 1 less that.
        pub share_2: f32,
        /// Added to the root.
        pub epsilon: f32,
    }
}

params! {
    /// `optimizer_sgd.wgsl`.
    pub struct OptimizerSgdParams {
        /// Blocks.
        pub blocks: u32,
        /// Where the buffer's cells begin in the table.
        pub cells: u32,
        /// Where its segments begin there.
        pub segments: u32,
        /// What is kept of the velocity.
        pub momentum: f32,
    }
}

/// Adam and `AdamW`.
pub(super) const ADAM: Shader = shader!(
    "optimizer_adam",
    [64, 1, 1],
    OptimizerAdamParams,
    "optimizer"
);
/// SGD with Nesterov's momentum.
pub(super) const SGD: Shader =
    shader!("optimizer_sgd", [64, 1, 1], OptimizerSgdParams, "optimizer");

kernels! {
    ADAM_KERNEL = Kernel::of(&ADAM);
    SGD_KERNEL = Kernel::of(&SGD);
}

/// What all tensors have in common, with the state that a step changes. The state begins as 0.
pub enum Rule<'a> {
    /// Kingma and Ba 2014, arXiv:1412.6980; with the decay apart from the gradient Loshchilov and Hutter 2017,
    /// arXiv:1711.05101.
    Adam {
        /// What is kept of each mean.
        betas: [f64; 2],
        /// Added to the root.
        epsilon: f64,
        /// The mean of the gradient.
        first: &'a mut Flat,
        /// The mean of its squares.
        second: &'a mut Flat,
    },
    /// Sutskever et al. 2013, with Nesterov's momentum as PyTorch has it.
    Sgd {
        /// What is kept of the velocity.
        momentum: f64,
        /// The velocity.
        velocity: &'a mut Flat,
    },
}

/// A step of one tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SegmentStep {
    /// What the value is multiplied by before anything else: `AdamW`'s decay, else 1.
    pub shrink: f32,
    /// How much of the value is added to the gradient: Adam's and SGD's decay, else 0.
    pub decay: f32,
    /// SGD's rate; Adam's, over the first mean's correction.
    pub rate: f32,
    /// The root of the second mean's correction; Adam's.
    pub root: f32,
}

/// A gradient, and what it is multiplied by: `[1]`.
pub struct Gradient<'a> {
    /// What the backward pass gave.
    pub values: &'a Flat,
    /// What [`clip_scale`](super::clip_scale) gave, or 1.
    pub scale: &'a Buffer,
}

/// The values after a step; the state changes in place. A tensor without a step, as one without a gradient is, keeps
/// both. All have the same segments, and `steps` one entry for each.
///
/// With Adam, b1, b2 for the betas:
///
/// ```text
/// w = value * shrink                    m = b1 * first + (1 - b1) * g
/// g = scale * gradient + decay * w      v = b2 * second + (1 - b2) * g^2
/// value = w - m * rate / (sqrt(v) / root + epsilon)
/// ```
///
/// With SGD, m for the momentum:
///
/// ```text
/// g = scale * gradient + decay * value
/// velocity = m * velocity + g
/// value = value - (g + m * velocity) * rate
/// ```
#[must_use]
pub fn update(
    rule: Rule<'_>,
    values: &Flat,
    gradient: &Gradient<'_>,
    steps: &[Option<SegmentStep>],
) -> Flat {
    let gpu = values.gpu();
    let segments = values.segments();
    assert_eq!(steps.len(), segments.all().len(), "steps");
    let tables: Vec<Table> = (0..segments.chunks().len())
        .map(|chunk| Table::new(segments, steps, chunk))
        .collect();
    let table = gpu.upload(tables.iter().flat_map(Table::words));
    let new = Flat::empty(&gpu, segments);
    let mut cells = 0;
    for (chunk, of_chunk) in tables.iter().enumerate() {
        let length = segments.chunks()[chunk] / BLOCK;
        let (workgroups, blocks) = (workgroups(length), length as u32);
        let segments = cells + of_chunk.cells.len() as u32;
        let [old, gradients] = [values, gradient.values].map(|flat| &flat.chunks()[chunk]);
        let inputs: [&dyn Binding; 4] = [old, gradients, gradient.scale, &table];
        let new = &new.chunks()[chunk];
        match &rule {
            Rule::Adam {
                betas,
                epsilon,
                first,
                second,
            } => {
                let params = OptimizerAdamParams {
                    blocks,
                    cells,
                    segments,
                    beta_1: betas[0] as f32,
                    share_1: (1.0 - betas[0]) as f32,
                    beta_2: betas[1] as f32,
                    share_2: (1.0 - betas[1]) as f32,
                    epsilon: *epsilon as f32,
                };
                let [first, second] = [first, second].map(|state| &state.chunks()[chunk]);
                let changed: [&dyn Binding; 3] = [new, first, second];
                let words = params.words();
                gpu.launch_in_place(&ADAM_KERNEL, workgroups, &inputs, &changed, &words);
            }
            Rule::Sgd { momentum, velocity } => {
                let params = OptimizerSgdParams {
                    blocks,
                    cells,
                    segments,
                    momentum: *momentum as f32,
                };
                let changed: [&dyn Binding; 2] = [new, &velocity.chunks()[chunk]];
                let words = params.words();
                gpu.launch_in_place(&SGD_KERNEL, workgroups, &inputs, &changed, &words);
            }
        }
        cells = segments + of_chunk.segments.len() as u32;
    }
    new
}

/// Blocks that a cell stands for.
const CELL: usize = 64;

/// One buffer's part of the table of segments, as `lib/optimizer.wgsl` reads it.
struct Table {
    /// Of every [`CELL`] blocks: the segment that the first of them is of.
    cells: Vec<u32>,
    /// Six words a segment, and a start that no block reaches.
    segments: Vec<u32>,
}

impl Table {
    fn new(segments: &Segments, steps: &[Option<SegmentStep>], chunk: usize) -> Self {
        let own = segments.all().iter().zip(steps);
        let own: Vec<_> = own.filter(|(s, _)| s.chunk == chunk).collect();
        let blocks = segments.chunks()[chunk] / BLOCK;
        let cell = |first: usize| {
            let begun = own.partition_point(|(s, _)| s.start / BLOCK <= first);
            begun.saturating_sub(1) as u32
        };
        let words = own.iter().flat_map(|(segment, step)| {
            // Without a step only the start is read, and that there is none.
            let step = step.map(|step| [step.shrink, step.decay, step.rate, step.root]);
            let [shrink, decay, rate, root] = step.unwrap_or_default().map(f32::to_bits);
            let start = (segment.start / BLOCK) as u32;
            [start, u32::from(step.is_some()), shrink, decay, rate, root]
        });
        Self {
            cells: (0..blocks).step_by(CELL).map(cell).collect(),
            segments: words.chain([u32::MAX]).collect(),
        }
    }

    fn words(&self) -> impl Iterator<Item = u32> {
        self.cells.iter().chain(&self.segments).copied()
    }
}
