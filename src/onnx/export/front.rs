//! What stands before the network: from the bytes of an image to the tensor that it takes.

use super::writer::{Writer, int, ints, text};
use crate::config::Preprocess;
use crate::error::Result;
use crate::onnx::proto::data_type;

/// `image`, `uint8` `[H,W,3]` of any size, to `[1,3,S,S]` of `(x / 255 - mean) / std`.
///
/// It is resized as [`crate::image::resize`] does it, within 1 of 255: bytes by a triangle filter with antialiasing,
/// down the columns first. onnxruntime's code for bytes is Pillow's, which does the rows first; so columns and rows
/// change places before and after. `exclude_outside` is what Pillow does at the edges: without it they are up to 15 of
/// 255 off.
pub(super) fn image(w: &mut Writer, image: &str, settings: &Preprocess) -> Result<String> {
    let size = settings.size as i64;
    let x = w.op(
        "Transpose",
        &[image],
        "image.cwh",
        vec![ints("perm", &[2, 1, 0])],
    );
    let first = w.ints("image.axes", &[0]);
    let x = w.op("Unsqueeze", &[&x, &first], "image.ncwh", vec![]);
    let sizes = w.ints("image.sizes", &[size, size]);
    let how = vec![
        int("antialias", 1),
        ints("axes", &[2, 3]),
        text("coordinate_transformation_mode", "half_pixel"),
        int("exclude_outside", 1),
        text("mode", "linear"),
    ];
    let x = w.op("Resize", &[&x, "", "", &sizes], "image.resized", how);
    let x = w.op(
        "Transpose",
        &[&x],
        "image.nchw",
        vec![ints("perm", &[0, 1, 3, 2])],
    );
    let to = int("to", i64::from(data_type::FLOAT));
    let x = w.op("Cast", &[&x], "image.f32", vec![to]);
    let most = w.floats("image.most", &[], &[255.0])?;
    let x = w.op("Div", &[&x, &most], "image.scaled", vec![]);
    let mean = w.floats("image.mean", &[1, 3, 1, 1], &settings.mean)?;
    let x = w.op("Sub", &[&x, &mean], "image.centred", vec![]);
    let std = w.floats("image.std", &[1, 3, 1, 1], &settings.std)?;
    Ok(w.op("Div", &[&x, &std], "image.normalised", vec![]))
}
