//! A convolution's weights on the GPU, in the layouts that its kernels read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::matmul::ROW_TILE;
use super::winograd::{Tile, WinogradFilterParams};
use crate::kernels::gpu::kernel::kernels;
use crate::kernels::gpu::launch::{Buffer, Gpu, Kernel, MAX_WORKGROUPS, Raw, spread};
use crate::kernels::gpu::params::params;
use crate::kernels::gpu::source::{Shader, shader};

/// A layout of weights `[O,C/G,KH,KW]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// `[G][C/G*KH*KW][O/G, padded]`: the left factor of the forward product.
    Matrix,
    /// `[G][O/G][C/G*KH*KW, padded]`: the left factor of the input gradient's product.
    Transposed,
    /// `[(m+2)^2][C][O, padded]`: the left factor of Winograd's products.
    Winograd(Tile),
    /// `[G][KH*KW][C/G, to whole slices of 16][O/G]`: conv_channels_last.wgsl's.
    Taps,
    /// `[G][KH*KW][O/G, to whole slices of 16][C/G]`: the same for the input gradient.
    TapsTransposed,
    /// `[KH][KW*4, to whole slices of 16][O]`: the same for an image of up to four channels.
    RowsOfTaps,
    /// `[36][C, to whole slices of 16][O]`: Winograd's on images channels last.
    WinogradTaps,
    /// `[36][O, to whole slices of 16][C]`: the same for the input gradient, filters turned round.
    WinogradTapsTransposed,
    /// `[KH,KW][C/G][O]`: the outputs of a weight side by side, for grouped convolutions on images channels last.
    Grouped,
    /// `[KH,KW][O/G][C]`: the same for their input gradient.
    GroupedTransposed,
}

/// Channels of a slice of conv_channels_last.wgsl.
const SLICE: usize = 16;

/// The weights of one convolution: as they were loaded, and packed where a kernel has asked for it.
#[derive(Debug, Clone)]
pub struct Weights {
    plain: Buffer,
    /// `[O,C/G,KH,KW]`.
    dims: [usize; 4],
    groups: usize,
    packed: Arc<Mutex<HashMap<Packing, Raw>>>,
}

params! {
    /// `pack_matrix.wgsl`.
    pub struct PackParams {
        /// Rows.
        pub m: u32,
        /// Slices.
        pub k: u32,
        /// Rows with padding.
        pub m_stride: u32,
    }
}

params! {
    /// `pack_channels_last.wgsl`.
    pub struct PackChannelsLastParams {
        /// Output channels of a group.
        pub m: u32,
        /// Input channels of a group.
        pub channels: u32,
        /// KH * KW.
        pub taps: u32,
        /// KW.
        pub kernel_w: u32,
        /// Rows of a tap, with padding.
        pub rows: u32,
        /// Rows of all taps.
        pub group_rows: u32,
        /// Values in a row.
        pub columns: u32,
    }
}

params! {
    /// `winograd4_filter_channels_last.wgsl`.
    pub struct WinogradFilterLastParams {
        /// O.
        pub m: u32,
        /// C.
        pub channels: u32,
        /// Rows of a matrix, with padding.
        pub rows: u32,
        /// Values in a row.
        pub columns: u32,
    }
}

params! {
    /// `pack_grouped.wgsl`.
    pub struct PackGroupedParams {
        /// G.
        pub groups: u32,
        /// Output channels of a group.
        pub m: u32,
        /// Input channels of a group.
        pub channels: u32,
        /// KH * KW.
        pub taps: u32,
    }
}

/// Weights as a left factor; tunable `TRANSPOSE`.
const PACK_MATRIX: Shader = shader!("pack_matrix", [64, 1, 1], PackParams);
/// Weights tap by tap; tunables `TRANSPOSE`, `NARROW`.
const PACK_CHANNELS_LAST: Shader =
    shader!("pack_channels_last", [64, 1, 1], PackChannelsLastParams);

/// Winograd's basis of the filters; tunable `TRANSPOSE`.
const WINOGRAD4_FILTER_CHANNELS_LAST: Shader = shader!(
    "winograd4_filter_channels_last",
    [64, 1, 1],
    WinogradFilterLastParams
);

/// Weights of grouped convolutions on images channels last; tunable `TRANSPOSE`.
const PACK_GROUPED: Shader = shader!("pack_grouped", [64, 1, 1], PackGroupedParams);

/// The kernel files of this module.
pub const SHADERS: &[Shader] = &[
    PACK_GROUPED,
    PACK_MATRIX,
    PACK_CHANNELS_LAST,
    WINOGRAD4_FILTER_CHANNELS_LAST,
];

kernels! {
    GROUPED = grouped(false);
    GROUPED_TRANSPOSED = grouped(true);
    FILTERS = filters(false);
    FILTERS_TRANSPOSED = filters(true);
    TAPS = pack_taps("TRANSPOSE", false);
    TAPS_TRANSPOSED = pack_taps("TRANSPOSE", true);
    ROWS_OF_TAPS = pack_taps("NARROW", true);
    PACK = pack(true);
    PAD = pack(false);
}

fn filters(transpose: bool) -> Kernel {
    let shader = WINOGRAD4_FILTER_CHANNELS_LAST;
    let source = shader.source().set("TRANSPOSE", transpose);
    Kernel::new(&source, shader.workgroup)
}

fn pack_taps(tunable: &str, value: bool) -> Kernel {
    let shader = PACK_CHANNELS_LAST;
    let source = shader.source().set(tunable, value);
    Kernel::new(&source, shader.workgroup)
}

fn grouped(transpose: bool) -> Kernel {
    let shader = PACK_GROUPED;
    let source = shader.source().set("TRANSPOSE", transpose);
    Kernel::new(&source, shader.workgroup)
}

fn pack(transpose: bool) -> Kernel {
    let shader = PACK_MATRIX;
    let source = shader.source().set("TRANSPOSE", transpose);
    Kernel::new(&source, shader.workgroup)
}

/// With padding to whole tiles.
const fn padded(rows: usize) -> usize {
    rows.next_multiple_of(ROW_TILE)
}

impl Weights {
    /// Weights `[O,C/G,KH,KW]`, on the GPU.
    ///
    /// # Panics
    /// If they have not four dimensions or `groups` does not divide O: a bug in the caller.
    #[must_use]
    pub fn new(plain: Buffer, groups: usize) -> Self {
        let dims: [usize; 4] = plain.dims().try_into().expect("four dimensions");
        assert!(
            groups > 0 && dims[0].is_multiple_of(groups),
            "{dims:?} in {groups} groups"
        );
        Self {
            plain,
            dims,
            groups,
            packed: Arc::default(),
        }
    }

    /// The weights as they were loaded.
    #[must_use]
    pub const fn plain(&self) -> &Buffer {
        &self.plain
    }

    /// `[O,C/G,KH,KW]`.
    #[must_use]
    pub const fn dims(&self) -> [usize; 4] {
        self.dims
    }

    /// Rows of a packing, padded.
    #[must_use]
    pub const fn stride(&self, packing: Packing) -> usize {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        match packing {
            Packing::Matrix => padded(outputs / self.groups),
            Packing::Transposed => padded(channels * kernel_h * kernel_w),
            Packing::Winograd(_) => padded(outputs),
            Packing::Taps | Packing::RowsOfTaps | Packing::WinogradTaps => outputs / self.groups,
            Packing::TapsTransposed | Packing::WinogradTapsTransposed => channels,
            Packing::Grouped => outputs,
            Packing::GroupedTransposed => self.groups * channels,
        }
    }

    /// Rows of all taps of a group: taps, and rows of each.
    const fn taps(&self, packing: Packing) -> [usize; 2] {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        match packing {
            Packing::RowsOfTaps => [kernel_h, (kernel_w * 4).next_multiple_of(SLICE)],
            Packing::TapsTransposed => {
                let rows = (outputs / self.groups).next_multiple_of(SLICE);
                [kernel_h * kernel_w, rows]
            }
            Packing::WinogradTaps => [36, channels.next_multiple_of(SLICE)],
            Packing::WinogradTapsTransposed => [36, outputs.next_multiple_of(SLICE)],
            _ => [kernel_h * kernel_w, channels.next_multiple_of(SLICE)],
        }
    }

    /// Bytes of a packing.
    #[must_use]
    pub const fn bytes(&self, packing: Packing) -> u64 {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let slices = match packing {
            Packing::Matrix => self.groups * channels * kernel_h * kernel_w,
            Packing::Transposed => outputs,
            Packing::Winograd(tile) => tile.products() * channels,
            Packing::Taps
            | Packing::TapsTransposed
            | Packing::RowsOfTaps
            | Packing::WinogradTaps
            | Packing::WinogradTapsTransposed => {
                let [taps, rows] = self.taps(packing);
                self.groups * taps * rows
            }
            Packing::Grouped => kernel_h * kernel_w * channels,
            Packing::GroupedTransposed => kernel_h * kernel_w * (outputs / self.groups),
        };
        slices as u64 * self.stride(packing) as u64 * size_of::<f32>() as u64
    }

    /// Whether the packing can be made: its dispatch is within bounds and `max` bytes hold it.
    #[must_use]
    pub fn can_pack(&self, packing: Packing, max: u64) -> bool {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let slices = match packing {
            Packing::Matrix => channels * kernel_h * kernel_w,
            Packing::Transposed => outputs / self.groups,
            Packing::Winograd(_) => channels,
            Packing::Taps
            | Packing::TapsTransposed
            | Packing::RowsOfTaps
            | Packing::WinogradTaps
            | Packing::WinogradTapsTransposed => {
                let [taps, rows] = self.taps(packing);
                taps * rows
            }
            Packing::Grouped | Packing::GroupedTransposed => {
                let values = outputs * channels * kernel_h * kernel_w;
                return spread(values).is_some() && self.bytes(packing) <= max;
            }
        };
        slices <= MAX_WORKGROUPS && self.groups <= MAX_WORKGROUPS && self.bytes(packing) <= max
    }

    /// The weights in this packing; the first call packs them.
    #[must_use]
    pub fn packed(&self, packing: Packing) -> Raw {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        packed
            .entry(packing)
            .or_insert_with(|| self.pack(packing))
            .clone()
    }

    /// Drops all packings but these: tuning tries more of them than are needed afterwards.
    pub fn retain_packings(&self, wanted: &[Packing]) {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        packed.retain(|packing, _| wanted.contains(packing));
    }

    fn pack(&self, packing: Packing) -> Raw {
        let gpu: Gpu = self.plain.gpu();
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let stride = self.stride(packing);
        let result = gpu.raw(self.bytes(packing) as usize);
        let (kernel, slices, [m, k]) = match packing {
            Packing::Taps => return self.pack_taps(&TAPS, packing, result),
            Packing::TapsTransposed => return self.pack_taps(&TAPS_TRANSPOSED, packing, result),
            Packing::RowsOfTaps => return self.pack_taps(&ROWS_OF_TAPS, packing, result),
            Packing::Grouped => return self.pack_grouped(&GROUPED, result),
            Packing::GroupedTransposed => return self.pack_grouped(&GROUPED_TRANSPOSED, result),
            Packing::WinogradTaps => return self.pack_winograd(&FILTERS, packing, result),
            Packing::WinogradTapsTransposed => {
                return self.pack_winograd(&FILTERS_TRANSPOSED, packing, result);
            }
            Packing::Winograd(tile) => {
                let params = WinogradFilterParams {
                    m: outputs as u32,
                    channels: channels as u32,
                    m_stride: stride as u32,
                };
                let workgroups = [stride.div_ceil(64), channels, 1];
                gpu.launch(
                    tile.filter(),
                    workgroups,
                    &[&self.plain],
                    &result,
                    &params.words(),
                );
                return result;
            }
            Packing::Matrix => {
                let (m, k) = (outputs / self.groups, channels * kernel_h * kernel_w);
                (&PACK, k, [m, k])
            }
            Packing::Transposed => {
                let (m, k) = (channels * kernel_h * kernel_w, outputs / self.groups);
                (&PAD, k, [m, k])
            }
        };
        let params = PackParams {
            m: m as u32,
            k: k as u32,
            m_stride: stride as u32,
        };
        let workgroups = [stride.div_ceil(64), slices, self.groups];
        gpu.launch(kernel, workgroups, &[&self.plain], &result, &params.words());
        result
    }

    fn pack_taps(&self, kernel: &Kernel, packing: Packing, result: Raw) -> Raw {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let [taps, rows] = self.taps(packing);
        let columns = self.stride(packing);
        let params = PackChannelsLastParams {
            m: (outputs / self.groups) as u32,
            channels: channels as u32,
            taps: (kernel_h * kernel_w) as u32,
            kernel_w: kernel_w as u32,
            rows: rows as u32,
            group_rows: (taps * rows) as u32,
            columns: columns as u32,
        };
        let workgroups = [columns.div_ceil(64), taps * rows, self.groups];
        let gpu = self.plain.gpu();
        gpu.launch(kernel, workgroups, &[&self.plain], &result, &params.words());
        result
    }

    fn pack_grouped(&self, kernel: &Kernel, result: Raw) -> Raw {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let taps = kernel_h * kernel_w;
        let params = PackGroupedParams {
            groups: self.groups as u32,
            m: (outputs / self.groups) as u32,
            channels: channels as u32,
            taps: taps as u32,
        };
        let workgroups = spread(outputs * channels * taps).expect("few enough to pack");
        let gpu = self.plain.gpu();
        gpu.launch(kernel, workgroups, &[&self.plain], &result, &params.words());
        result
    }

    fn pack_winograd(&self, kernel: &Kernel, packing: Packing, result: Raw) -> Raw {
        let [outputs, channels, ..] = self.dims;
        let [_, rows] = self.taps(packing);
        let columns = self.stride(packing);
        let params = WinogradFilterLastParams {
            m: outputs as u32,
            channels: channels as u32,
            rows: rows as u32,
            columns: columns as u32,
        };
        let workgroups = [columns.div_ceil(64), rows, 1];
        let gpu = self.plain.gpu();
        gpu.launch(kernel, workgroups, &[&self.plain], &result, &params.words());
        result
    }
}
