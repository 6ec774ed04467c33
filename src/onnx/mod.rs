//! ONNX: a model as one file that onnxruntime, onnxruntime-web and others run, and back.
//!
//! [`export`] writes a [`Graph`](crate::network::Graph), its tensors and its head; [`import`] reads what this crate,
//! torchvision's or timm's networks through `torch.onnx`, and others alike have written. Neither runs anything: a network
//! is translated, node by node, and what is not known is named.

mod export;
mod import;
mod package;
pub mod proto;

pub use export::{Input, Model, Options, export};
pub use import::{Imported, MOST_BYTES, import};
pub use package::{package, unpack};

/// The operators' version that is written: the first whose `Resize` has antialiasing.
const OPSET: i64 = 18;

/// The format's version that is written, that of the first release with [`OPSET`].
const IR_VERSION: i64 = 8;

/// The key of the metadata for what goes in.
const INPUT_KIND: &str = "onnx_input";

/// The key of the metadata for the number of linear layers that are the head.
const HEAD_LAYERS: &str = "head_layers";

/// The key of the metadata for what a head of one layer would be called.
const HEAD_NAME: &str = "head_name";

/// Added to the variance by the norms of a head, as torch's `BatchNorm1d` does.
const HEAD_EPSILON: f64 = 1e-5;

/// The first of the pixels of an area and the one behind its last, for area `at` of `areas` over `size` pixels: torch's
/// `AdaptiveAvgPool2d`.
const fn area(at: usize, areas: usize, size: usize) -> [usize; 2] {
    [at * size / areas, ((at + 1) * size).div_ceil(areas)]
}

/// `[areas,size]`: the share of each pixel in the mean of each area.
fn averaging(areas: usize, size: usize) -> Vec<f32> {
    let row = |at| {
        let [begin, end] = area(at, areas, size);
        let share = 1.0 / (end - begin) as f32;
        (0..size).map(move |x| {
            if (begin..end).contains(&x) {
                share
            } else {
                0.0
            }
        })
    };
    (0..areas).flat_map(row).collect()
}
