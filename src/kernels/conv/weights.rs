//! A convolution's weights on the GPU, in the layouts that its kernels read.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::matmul::ROW_TILE;
use super::params::{PackParams, WinogradFilterParams};
use super::winograd::Tile;
use crate::kernels::launch::{Buffer, Gpu, Kernel, MAX_WORKGROUPS, Raw};
use crate::kernels::source::Source;

/// A layout of weights `[O,C/G,KH,KW]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// `[G][C/G*KH*KW][O/G, padded]`: the left factor of the forward product.
    Matrix,
    /// `[G][O/G][C/G*KH*KW, padded]`: the left factor of the input gradient's product.
    Transposed,
    /// `[(m+2)^2][C][O, padded]`: the left factor of Winograd's products.
    Winograd(Tile),
}

/// How the values of a packing are stored. Sums are `f32` either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Storage {
    /// `f32`.
    Full,
    /// `f16`: half the memory to read, 11 bits of precision. What is beyond 65504 becomes infinite, what is
    /// below 6e-5 loses bits, or becomes zero on GPUs that know no smaller ones. Of Winograd's F(4x4,3x3),
    /// whose filters are divided by up to 576, that is much: an error of 3e-3 of the sum of the absolute
    /// products at weights of 0.001, where the plain product is off by 5e-5 (`tests/kernels_half.rs`).
    Half,
}

impl Storage {
    /// Bytes of a value.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Full => size_of::<f32>(),
            Self::Half => size_of::<u16>(),
        }
    }

    /// The kernel for weights stored so.
    pub(super) fn set(self, source: Source) -> Source {
        match self {
            Self::Full => source,
            Self::Half => source.set_type("Weight", "f16"),
        }
    }
}

/// A packing as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Which value lies where.
    pub packing: Packing,
    /// What a value is.
    pub storage: Storage,
}

impl Packing {
    /// Stored so.
    #[must_use]
    pub const fn stored(self, storage: Storage) -> Layout {
        Layout {
            packing: self,
            storage,
        }
    }
}

/// The weights of one convolution: as they were loaded, and packed where a kernel has asked for it.
#[derive(Debug, Clone)]
pub struct Weights {
    plain: Buffer,
    /// `[O,C/G,KH,KW]`.
    dims: [usize; 4],
    groups: usize,
    packed: Arc<Mutex<HashMap<Layout, Raw>>>,
}

static PACK: LazyLock<Kernel> = LazyLock::new(|| pack(true, Storage::Full));
static PAD: LazyLock<Kernel> = LazyLock::new(|| pack(false, Storage::Full));
static PACK_HALF: LazyLock<Kernel> = LazyLock::new(|| pack(true, Storage::Half));
static PAD_HALF: LazyLock<Kernel> = LazyLock::new(|| pack(false, Storage::Half));

fn pack(transpose: bool, storage: Storage) -> Kernel {
    let text = include_str!("../../../shaders/pack_matrix.wgsl");
    let source = Source::new("pack_matrix", text).set("TRANSPOSE", transpose);
    Kernel::new(&storage.set(source), [64, 1, 1])
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

    /// As loaded.
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
        }
    }

    /// Bytes of a packing.
    #[must_use]
    pub const fn bytes(&self, Layout { packing, storage }: Layout) -> u64 {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let slices = match packing {
            Packing::Matrix => self.groups * channels * kernel_h * kernel_w,
            Packing::Transposed => outputs,
            Packing::Winograd(tile) => tile.products() * channels,
        };
        slices as u64 * self.stride(packing) as u64 * storage.bytes() as u64
    }

    /// Whether the packing can be made: its dispatch is within bounds, `max` bytes hold it, and the GPU has
    /// such numbers.
    #[must_use]
    pub fn can_pack(&self, layout: Layout, max: u64) -> bool {
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let slices = match layout.packing {
            Packing::Matrix => channels * kernel_h * kernel_w,
            Packing::Transposed => outputs / self.groups,
            Packing::Winograd(_) => channels,
        };
        slices <= MAX_WORKGROUPS
            && self.groups <= MAX_WORKGROUPS
            && self.bytes(layout) <= max
            && (layout.storage == Storage::Full || self.plain.gpu().has_half())
    }

    /// The packing, made at the first call and kept.
    #[must_use]
    pub fn packed(&self, layout: Layout) -> Raw {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        packed
            .entry(layout)
            .or_insert_with(|| self.pack(layout))
            .clone()
    }

    /// Forgets the packings but those in use: tuning has tried more than is needed.
    pub fn keep(&self, wanted: &[Layout]) {
        let mut packed = self.packed.lock().unwrap_or_else(PoisonError::into_inner);
        packed.retain(|layout, _| wanted.contains(layout));
    }

    fn pack(&self, layout: Layout) -> Raw {
        let gpu: Gpu = self.plain.gpu();
        let [outputs, channels, kernel_h, kernel_w] = self.dims;
        let stride = self.stride(layout.packing);
        let result = gpu.raw(self.bytes(layout) as usize);
        let half = layout.storage == Storage::Half;
        let (kernel, slices, [m, k]) = match layout.packing {
            Packing::Winograd(tile) => {
                let params = WinogradFilterParams {
                    m: outputs as u32,
                    channels: channels as u32,
                    m_stride: stride as u32,
                };
                let workgroups = [stride.div_ceil(64), channels, 1];
                gpu.launch(
                    tile.filter(layout.storage),
                    workgroups,
                    &[&self.plain],
                    &result,
                    &params.words(),
                );
                return result;
            }
            Packing::Matrix => {
                let (m, k) = (outputs / self.groups, channels * kernel_h * kernel_w);
                (if half { &PACK_HALF } else { &PACK }, k, [m, k])
            }
            Packing::Transposed => {
                let (m, k) = (channels * kernel_h * kernel_w, outputs / self.groups);
                (if half { &PAD_HALF } else { &PAD }, k, [m, k])
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
}
