//! One step of all values.

use std::sync::LazyLock;

use super::flat::{Flat, workgroups};
use super::segments::{BLOCK, Segment, Segments};
use crate::kernels::gpu::launch::{Binding, Buffer, Kernel};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `optimizer_adam.wgsl`.
    pub struct OptimizerAdamParams {
        /// Blocks.
        pub blocks: u32,
        /// The buffer's first segment in the table.
        pub first_segment: u32,
        /// Its segments.
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
        /// The buffer's first segment in the table.
        pub first_segment: u32,
        /// Its segments.
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

static ADAM_KERNEL: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&ADAM));
static SGD_KERNEL: LazyLock<Kernel> = LazyLock::new(|| Kernel::of(&SGD));

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
    let table = gpu.upload(table(segments, steps).into_iter());
    let new = Flat::empty(&gpu, segments);
    let mut first_segment = 0;
    for (chunk, &length) in segments.chunks().iter().enumerate() {
        let count = segments.all().iter().filter(|s| s.chunk == chunk).count();
        let (blocks, count) = ((length / BLOCK) as u32, count as u32);
        let workgroups = workgroups(length / BLOCK);
        let (old, new) = (&values.chunks()[chunk], &new.chunks()[chunk]);
        let inputs: [&dyn Binding; 4] = [
            old,
            &gradient.values.chunks()[chunk],
            gradient.scale,
            &table,
        ];
        match &rule {
            Rule::Adam {
                betas,
                epsilon,
                first,
                second,
            } => {
                let params = OptimizerAdamParams {
                    blocks,
                    first_segment,
                    segments: count,
                    beta_1: betas[0] as f32,
                    share_1: (1.0 - betas[0]) as f32,
                    beta_2: betas[1] as f32,
                    share_2: (1.0 - betas[1]) as f32,
                    epsilon: *epsilon as f32,
                };
                let state = [&first.chunks()[chunk], &second.chunks()[chunk]];
                let changed: [&dyn Binding; 3] = [new, state[0], state[1]];
                gpu.launch_in_place(&ADAM_KERNEL, workgroups, &inputs, &changed, &params.words());
            }
            Rule::Sgd { momentum, velocity } => {
                let params = OptimizerSgdParams {
                    blocks,
                    first_segment,
                    segments: count,
                    momentum: *momentum as f32,
                };
                let changed: [&dyn Binding; 2] = [new, &velocity.chunks()[chunk]];
                gpu.launch_in_place(&SGD_KERNEL, workgroups, &inputs, &changed, &params.words());
            }
        }
        first_segment += count;
    }
    new
}

/// Six words a segment, as `lib/optimizer.wgsl` reads them.
fn table(segments: &Segments, steps: &[Option<SegmentStep>]) -> Vec<u32> {
    assert_eq!(steps.len(), segments.all().len(), "steps");
    let entries = segments.all().iter().zip(steps);
    let words = |(segment, step): (&Segment, &Option<SegmentStep>)| {
        let SegmentStep {
            shrink,
            decay,
            rate,
            root,
        } = step.unwrap_or(SegmentStep {
            shrink: 1.0,
            decay: 0.0,
            rate: 0.0,
            root: 1.0,
        });
        let [shrink, decay, rate, root] = [shrink, decay, rate, root].map(f32::to_bits);
        let start = (segment.start / BLOCK) as u32;
        [start, u32::from(step.is_some()), shrink, decay, rate, root]
    };
    entries.flat_map(words).collect()
}
