//! Tensors side by side in memory.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::segments::{BLOCK, Segments};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Binding, Buffer, Gpu, Kernel, spread_tensor};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

params! {
    /// `optimizer_gather.wgsl`. Of each piece: the block of the flat buffer where it begins, the blocks that it takes, its
    /// values.
    pub struct OptimizerGatherParams {
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
        /// Of piece 5.
        pub start_5: u32,
        /// Of piece 5.
        pub blocks_5: u32,
        /// Of piece 5.
        pub length_5: u32,
    }
}

impl OptimizerGatherParams {
    fn new(pieces: [[u32; 3]; PIECES]) -> Self {
        let [
            [start_0, blocks_0, length_0],
            [start_1, blocks_1, length_1],
            [start_2, blocks_2, length_2],
            [start_3, blocks_3, length_3],
            [start_4, blocks_4, length_4],
            [start_5, blocks_5, length_5],
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
            start_5,
            blocks_5,
            length_5,
        }
    }
}

/// Tensors into their segments.
pub(super) const GATHER: Shader = shader!("optimizer_gather", [64, 1, 1], OptimizerGatherParams);

kernels! {
    GATHER_KERNEL = Kernel::of(&GATHER);
}

/// Tensors that a launch gathers: WebGPU's eight buffers without the flat one and the parameters.
const PIECES: usize = 6;

/// A tensor's values, and where they belong.
pub(super) struct Piece<'a> {
    pub(super) values: &'a Buffer,
    /// In values.
    pub(super) start: usize,
    /// Of it, in values.
    pub(super) length: usize,
}

impl Piece<'_> {
    /// The start and the length in blocks, and the length.
    pub(super) fn words(&self) -> [u32; 3] {
        let Self { start, length, .. } = *self;
        [start / BLOCK, length.div_ceil(BLOCK), length].map(|n| n as u32)
    }
}

/// What a launch on several pieces is given: as many workgroups as they have blocks, `N` buffers, the first standing in
/// for those that are missing, and three words a piece.
pub(super) fn arguments<'a, const N: usize>(
    pieces: &[Piece<'a>],
) -> ([usize; 3], [&'a dyn Binding; N], [[u32; 3]; N]) {
    let blocks: usize = pieces.iter().map(|p| p.length.div_ceil(BLOCK)).sum();
    let buffers = std::array::from_fn(|i| pieces.get(i).unwrap_or(&pieces[0]).values as _);
    let words = std::array::from_fn(|i| pieces.get(i).map_or([0; 3], Piece::words));
    (workgroups(blocks), buffers, words)
}

/// A workgroup a block.
///
/// # Panics
/// If there are more than 2^32 of them, which no memory holds.
pub(super) fn workgroups(blocks: usize) -> [usize; 3] {
    spread_tensor(blocks * 64)
}

/// The values of a list of tensors, each in its segment.
#[derive(Debug)]
pub struct Flat {
    segments: Arc<Segments>,
    chunks: Vec<Buffer>,
}

impl Flat {
    /// With undefined content.
    #[must_use]
    pub fn empty(gpu: &Gpu, segments: &Arc<Segments>) -> Self {
        let chunks = segments.chunks().iter();
        Self {
            segments: segments.clone(),
            chunks: chunks.map(|&values| gpu.empty(&[values])).collect(),
        }
    }

    /// All 0; `None` where the device is no GPU.
    #[must_use]
    pub fn zeros(device: &Device, segments: &Arc<Segments>) -> Option<Self> {
        let chunks = segments.chunks().iter();
        let zeros = |&values: &usize| Buffer::of(&Tensor::<1>::zeros([values], device));
        Some(Self {
            segments: segments.clone(),
            chunks: chunks.map(zeros).collect::<Option<_>>()?,
        })
    }

    /// Where each tensor lies.
    #[must_use]
    pub const fn segments(&self) -> &Arc<Segments> {
        &self.segments
    }

    /// The buffers.
    #[must_use]
    pub fn chunks(&self) -> &[Buffer] {
        &self.chunks
    }

    /// The GPU that holds it.
    ///
    /// # Panics
    /// Never: there is no list of segments without a buffer.
    #[must_use]
    pub fn gpu(&self) -> Gpu {
        self.chunks[0].gpu()
    }

    /// Tensor number `place`, as a list. It shares the memory.
    #[must_use]
    pub fn part(&self, place: usize) -> Buffer {
        let segment = self.segments.all()[place];
        self.chunks[segment.chunk].part(segment.start, &[segment.length])
    }

    /// Whether a tensor is [`Self::part`] number `place`, in whatever shape.
    #[must_use]
    pub fn has_part(&self, place: usize, tensor: &Buffer) -> bool {
        let segment = self.segments.all()[place];
        let length: usize = tensor.dims().iter().product();
        length == segment.length && self.chunks[segment.chunk].has_part(segment.start, tensor)
    }

    /// Copies tensors into their segments, by number; their sizes must be those of the segments.
    pub fn gather(&mut self, tensors: &[(usize, Buffer)]) {
        let gpu = self.gpu();
        for (chunk, pieces) in pieces_by_chunk(&self.segments, tensors).iter().enumerate() {
            for pieces in pieces.chunks(PIECES) {
                let (workgroups, buffers, words) = arguments::<PIECES>(pieces);
                let flat: &[&dyn Binding] = &[&self.chunks[chunk]];
                let params = OptimizerGatherParams::new(words).words();
                gpu.launch_in_place(&GATHER_KERNEL, workgroups, &buffers, flat, &params);
            }
        }
    }
}

/// The tensors by the buffer in which their segments are.
pub(super) fn pieces_by_chunk<'a>(
    segments: &Segments,
    tensors: &'a [(usize, Buffer)],
) -> Vec<Vec<Piece<'a>>> {
    let mut chunks: Vec<Vec<Piece>> = segments.chunks().iter().map(|_| Vec::new()).collect();
    for (place, values) in tensors {
        let segment = segments.all()[*place];
        chunks[segment.chunk].push(Piece {
            values,
            start: segment.start,
            length: segment.length,
        });
    }
    chunks
}
