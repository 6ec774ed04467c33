//! Every kernel file, the shared functions it is put together with and the Rust twin of its `Params`:
//! what `tests/shaders.rs` walks, so that no file goes unchecked.

use super::conv::params::{
    ColumnsParams, ConvDepthwiseParams, ConvDirectParams, ConvSharedParams, MatMulNtParams,
    MatMulParams, PackParams, WinogradFilterParams, WinogradInputParams, WinogradOutputParams,
};
use super::params::{
    Field, GlobalAvgPoolParams, MaxPoolParams, PeakCopyParams, PeakFmaParams,
    PreprocessHorizontalParams, PreprocessVerticalParams,
};

/// A file of `shaders/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub file: &'static str,
    /// Names of the files of `shaders/lib/` that it needs, in order.
    pub libs: &'static [&'static str],
    /// The fields of its `Params`.
    pub params: &'static [Field],
}

const fn entry(file: &'static str, params: &'static [Field]) -> Entry {
    Entry {
        file,
        libs: &[],
        params,
    }
}

/// All of them, sorted by name.
pub const TABLE: &[Entry] = &[
    entry("col2im.wgsl", ColumnsParams::FIELDS),
    entry("conv_depthwise.wgsl", ConvDepthwiseParams::FIELDS),
    entry("conv_direct.wgsl", ConvDirectParams::FIELDS),
    entry("conv_shared.wgsl", ConvSharedParams::FIELDS),
    entry("global_avg_pool.wgsl", GlobalAvgPoolParams::FIELDS),
    entry("im2col.wgsl", ColumnsParams::FIELDS),
    entry("matmul_nt.wgsl", MatMulNtParams::FIELDS),
    entry("matmul_registers.wgsl", MatMulParams::FIELDS),
    entry("matmul_registers_narrow.wgsl", MatMulParams::FIELDS),
    entry("matmul_shared.wgsl", MatMulParams::FIELDS),
    entry("max_pool.wgsl", MaxPoolParams::FIELDS),
    entry("pack_matrix.wgsl", PackParams::FIELDS),
    entry("peak_copy.wgsl", PeakCopyParams::FIELDS),
    entry("peak_fma.wgsl", PeakFmaParams::FIELDS),
    entry(
        "preprocess_horizontal.wgsl",
        PreprocessHorizontalParams::FIELDS,
    ),
    entry("preprocess_vertical.wgsl", PreprocessVerticalParams::FIELDS),
    entry("winograd2_filter.wgsl", WinogradFilterParams::FIELDS),
    entry("winograd2_input.wgsl", WinogradInputParams::FIELDS),
    entry("winograd2_output.wgsl", WinogradOutputParams::FIELDS),
    entry("winograd4_filter.wgsl", WinogradFilterParams::FIELDS),
    entry("winograd4_input.wgsl", WinogradInputParams::FIELDS),
    entry("winograd4_output.wgsl", WinogradOutputParams::FIELDS),
];
