//! The moving average of the values.

use super::flat::{Flat, Piece, arguments, pieces_by_chunk};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Kernel};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `optimizer_average.wgsl`. Of each piece: the block of the flat buffers where it begins, the blocks that it takes, its
    /// values.
    pub struct OptimizerAverageParams {
        /// Of piece 0.
        pub start_0: u32,
        /// Of piece 0.
        pub blocks_0: u32,
        /// Of piece 0.
        pub length_0: u32,
        /// Of piece 1.
        pub start_1: u32,
        /// Of piece 1.
        pub blocks_1: u32,
        /// Of piece 1.
        pub length_1: u32,
        /// Of piece 2.
        pub start_2: u32,
        /// Of piece 2.
        pub blocks_2: u32,
        /// Of piece 2.
        pub length_2: u32,
        /// Of piece 3.
        pub start_3: u32,
        /// Of piece 3.
        pub blocks_3: u32,
        /// Of piece 3.
        pub length_3: u32,
        /// Of piece 4.
        pub start_4: u32,
        /// Of piece 4.
        pub blocks_4: u32,
        /// Of piece 4.
        pub length_4: u32,
        /// What is kept of the average.
        pub decay: f32,
        /// 1 less that.
        pub share: f32,
    }
}

impl OptimizerAverageParams {
    fn new(pieces: [[u32; 3]; PIECES], decay: f64) -> Self {
        let [
            [start_0, blocks_0, length_0],
            [start_1, blocks_1, length_1],
            [start_2, blocks_2, length_2],
            [start_3, blocks_3, length_3],
            [start_4, blocks_4, length_4],
        ] = pieces;
        Self {
            start_0,
            blocks_0,
            length_0,
            start_1,
            blocks_1,
            length_1,
            start_2,
            blocks_2,
            length_2,
            start_3,
            blocks_3,
            length_3,
            start_4,
            blocks_4,
            length_4,
            decay: decay as f32,
            share: (1.0 - decay) as f32,
        }
    }
}

/// Tensors into the average.
pub(super) const AVERAGE: Shader = shader!("optimizer_average", [64, 1, 1], OptimizerAverageParams);

kernels! {
    AVERAGE_KERNEL = Kernel::of(&AVERAGE);
}

/// Tensors that a launch takes: WebGPU's eight buffers without the two averages and the parameters.
const PIECES: usize = 5;

/// `decay * mean + (1 - decay) * value`, of `now`, but of the tensors in `others`, by number, for those that are not
/// there. All have the same segments.
#[must_use]
pub fn average(mean: &Flat, now: &Flat, others: &[(usize, Buffer)], decay: f64) -> Flat {
    let gpu = mean.gpu();
    let new = Flat::empty(&gpu, mean.segments());
    let launch = |chunk: usize, pieces: &[Piece<'_>]| {
        let (workgroups, pieces, words) = arguments::<PIECES>(pieces);
        let params = OptimizerAverageParams::new(words, decay).words();
        let mut inputs: Vec<&dyn Binding> = pieces.to_vec();
        inputs.push(&mean.chunks()[chunk]);
        let new: &[&dyn Binding] = &[&new.chunks()[chunk]];
        gpu.launch_in_place(&AVERAGE_KERNEL, workgroups, &inputs, new, &params);
    };
    for (chunk, values) in now.chunks().iter().enumerate() {
        let whole = Piece {
            values,
            start: 0,
            length: values.dims()[0],
        };
        launch(chunk, &[whole]);
    }
    // After it, for it filled their segments with what is not theirs.
    let others = pieces_by_chunk(mean.segments(), others);
    for (chunk, pieces) in others.iter().enumerate() {
        for pieces in pieces.chunks(PIECES) {
            launch(chunk, pieces);
        }
    }
    new
}
