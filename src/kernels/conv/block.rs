//! What a workgroup, or an invocation, of the implicit product computes, and the kernels that do.

use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::Kernel;
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

/// Results side by side for which operands are loaded once: pixels by output channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Block {
    /// 128 pixels, 64 channels, by 128 threads.
    P128M64,
    /// 64 by 64.
    P64M64,
    /// 64 by 32: half the sums a thread, for GPUs with few registers.
    P64M32,
    /// 32 by 64.
    P32M64,
    /// 4 by 8 an invocation, which shares nothing with others: for phones, whose workgroup memory lies in the cache.
    P4M8,
}

params! {
    /// `conv_channels_last.wgsl` and `conv_channels_last_registers.wgsl`. Fours are of channels; negative numbers wrap round.
    pub struct ConvChannelsLastParams {
        /// N.
        pub images: u32,
        /// H of x.
        pub height: u32,
        /// W of x.
        pub width: u32,
        /// Fours of a pixel of x.
        pub x_c4: u32,
        /// Of these, a batch's.
        pub c4: u32,
        /// Rows of results.
        pub rows: u32,
        /// Columns of results.
        pub columns: u32,
        /// Pixels of x from one result to the next.
        pub stride: u32,
        /// Row of x under the first tap of the first result.
        pub row_first: u32,
        /// Column alike.
        pub column_first: u32,
        /// Rows of taps.
        pub taps_h: u32,
        /// Columns of taps.
        pub taps_w: u32,
        /// Pixels of x from one tap to the next.
        pub tap_step: u32,
        /// Taps in a row of w.
        pub w_taps_w: u32,
        /// Row of the first tap in w.
        pub w_row: u32,
        /// Its column.
        pub w_column: u32,
        /// Taps of w from one to the next.
        pub w_step: u32,
        /// Fours of x past the last channel of a tap to the next tap.
        pub x_tap: u32,
        /// Fours of x from past a row's last tap to the next row.
        pub x_row: u32,
        /// Fours of w alike.
        pub w_tap: u32,
        /// Fours of w alike.
        pub w_tap_row: u32,
        /// Fours of output channels of a batch.
        pub m4: u32,
        /// Fours of a pixel of y.
        pub y_m4: u32,
        /// H of y.
        pub y_height: u32,
        /// W of y.
        pub y_width: u32,
        /// Pixels of y from one result to the next.
        pub y_step: u32,
        /// Row of y of the first result.
        pub y_row: u32,
        /// Its column.
        pub y_column: u32,
        /// Fours of x from one batch to the next.
        pub x_batch: u32,
        /// Fours of w from one batch to the next.
        pub w_batch: u32,
        /// Fours of y from one batch to the next.
        pub y_batch: u32,
        /// Fours of y from one part of the sum to the next.
        pub y_split: u32,
        /// Tiles of pixels that earlier launches compute.
        pub first_tile: u32,
        /// Parts of the sum.
        pub splits: u32,
        /// Slices of 16 of a part.
        pub split_slices: u32,
        /// [`flag`](super::matmul::flag).
        pub flags: u32,
    }
}

/// Any convolution of images channels last; tunables `THREADS_P`, `PIXELS`, `FOURS`, `NARROW`.
const CONV_CHANNELS_LAST: Shader = shader!(
    "conv_channels_last",
    [8, 8, 1],
    ConvChannelsLastParams,
    "conv_channels_last",
    "epilogue4",
);
/// The same without workgroup memory; tunable `NARROW`.
const CONV_REGISTERS: Shader = shader!(
    "conv_channels_last_registers",
    [64, 1, 1],
    ConvChannelsLastParams,
    "conv_channels_last",
    "epilogue4",
);

/// Invocations of a workgroup of the latter.
const WORKGROUP: usize = CONV_REGISTERS.workgroup[0] as usize;

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[CONV_CHANNELS_LAST, CONV_REGISTERS];

kernels! {
    P128M64 = Block::P128M64.compile(false);
    P128M64_NARROW = Block::P128M64.compile(true);
    P64M64 = Block::P64M64.compile(false);
    P64M64_NARROW = Block::P64M64.compile(true);
    P64M32 = Block::P64M32.compile(false);
    P64M32_NARROW = Block::P64M32.compile(true);
    P32M64 = Block::P32M64.compile(false);
    P32M64_NARROW = Block::P32M64.compile(true);
    P4M8 = Block::P4M8.compile(false);
    P4M8_NARROW = Block::P4M8.compile(true);
}

impl Block {
    /// All of them. Of those that the model cannot tell apart it ranks the first first.
    pub const ALL: [Self; 5] = [
        Self::P4M8,
        Self::P128M64,
        Self::P64M64,
        Self::P64M32,
        Self::P32M64,
    ];

    /// Pixels, output channels.
    #[must_use]
    pub const fn size(self) -> [usize; 2] {
        match self {
            Self::P128M64 => [128, 64],
            Self::P64M64 => [64, 64],
            Self::P64M32 => [64, 32],
            Self::P32M64 => [32, 64],
            Self::P4M8 => [4, 8],
        }
    }

    /// Whether its operands go through workgroup memory; else each invocation loads its own.
    #[must_use]
    pub const fn shares(self) -> bool {
        !matches!(self, Self::P4M8)
    }

    /// The invocations that compute one.
    #[must_use]
    pub const fn threads(self) -> usize {
        match self {
            Self::P128M64 => 128,
            Self::P64M64 | Self::P64M32 | Self::P32M64 => 64,
            Self::P4M8 => 1,
        }
    }

    /// Multiply-adds among the instructions of its loop (`shaders/README.md`, the table of the compiled code).
    #[must_use]
    pub const fn share(self) -> f64 {
        match self {
            Self::P128M64 | Self::P64M64 => 0.78,
            Self::P64M32 | Self::P32M64 => 0.72,
            Self::P4M8 => 0.7,
        }
    }

    /// Whether it is for so many output channels. An invocation of [`Self::P4M8`] always has two fours.
    #[must_use]
    pub const fn takes(self, m: usize) -> bool {
        self.shares() || m >= 8
    }

    /// Workgroups for so many pixels and channels of each of so many sums.
    #[must_use]
    pub const fn workgroups(self, pixels: usize, m: usize, sums: usize) -> [usize; 3] {
        let [p, c] = self.size();
        let [along, across] = [pixels.div_ceil(p), m.div_ceil(c)];
        if self.shares() {
            [along, across, sums]
        } else {
            [(along * across).div_ceil(WORKGROUP), 1, sums]
        }
    }

    /// Results of a workgroup.
    #[must_use]
    pub const fn results(self) -> usize {
        let [p, c] = self.size();
        if self.shares() {
            p * c
        } else {
            p * c * WORKGROUP
        }
    }

    fn compile(self, narrow: bool) -> Kernel {
        if !self.shares() {
            let source = CONV_REGISTERS.source().set("NARROW", narrow);
            return Kernel::new(&source, CONV_REGISTERS.workgroup);
        }
        let [pixels, channels] = self.size();
        let threads_p = if pixels > 64 { 16 } else { 8 };
        let source = CONV_CHANNELS_LAST.source();
        let source = source
            .set("THREADS_P", threads_p)
            .set("PIXELS", pixels as u32 / threads_p)
            .set("FOURS", channels as u32 / 32)
            .set("NARROW", narrow);
        Kernel::new(&source, [8, threads_p, 1])
    }

    pub(super) fn kernel(self, narrow: bool) -> &'static Kernel {
        match (self, narrow) {
            (Self::P128M64, false) => &P128M64,
            (Self::P128M64, true) => &P128M64_NARROW,
            (Self::P64M64, false) => &P64M64,
            (Self::P64M64, true) => &P64M64_NARROW,
            (Self::P64M32, false) => &P64M32,
            (Self::P64M32, true) => &P64M32_NARROW,
            (Self::P32M64, false) => &P32M64,
            (Self::P32M64, true) => &P32M64_NARROW,
            (Self::P4M8, false) => &P4M8,
            (Self::P4M8, true) => &P4M8_NARROW,
        }
    }
}
