//! Images that only the browser decodes: AVIF, and HEIC where the system has it.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, ColorSpaceConversion, DedicatedWorkerGlobalScope, ImageBitmap,
    ImageBitmapOptions, OffscreenCanvas, OffscreenCanvasRenderingContext2d, PremultiplyAlpha,
};

/// Whether there may be something else that decodes them.
pub const AVAILABLE: bool = true;

/// Width, height and RGBA of an image, upright and over white; none if the browser does not open it. An image of
/// more than `most` pixels is drawn at half its edges, a quarter, and so on. `mime` is its type ("image/avif").
pub async fn decode(bytes: &[u8], mime: &str, most: u64) -> Option<(usize, usize, Vec<u8>)> {
    drawn(bytes, mime, most).await.ok()
}

async fn drawn(bytes: &[u8], mime: &str, most: u64) -> Result<(usize, usize, Vec<u8>), JsValue> {
    let kind = BlobPropertyBag::new();
    kind.set_type(mime);
    let parts = Array::of1(&Uint8Array::from(bytes));
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &kind)?;
    // Colours as they are stored: profiles are not applied to the formats decoded here either.
    let options = ImageBitmapOptions::new();
    options.set_color_space_conversion(ColorSpaceConversion::None);
    options.set_premultiply_alpha(PremultiplyAlpha::Default);
    let scope: DedicatedWorkerGlobalScope = js_sys::global().dyn_into()?;
    let bitmap = scope.create_image_bitmap_with_blob_and_image_bitmap_options(&blob, &options)?;
    let bitmap: ImageBitmap = JsFuture::from(bitmap).await?.dyn_into()?;
    let (mut width, mut height) = (bitmap.width(), bitmap.height());
    while u64::from(width) * u64::from(height) > most {
        (width, height) = ((width / 2).max(1), (height / 2).max(1));
    }
    let canvas = OffscreenCanvas::new(width, height)?;
    let context = canvas.get_context("2d")?.ok_or(JsValue::NULL)?;
    let context: OffscreenCanvasRenderingContext2d = context.unchecked_into();
    context.set_fill_style_str("white");
    let (w, h) = (f64::from(width), f64::from(height));
    context.fill_rect(0.0, 0.0, w, h);
    context.draw_image_with_image_bitmap_and_dw_and_dh(&bitmap, 0.0, 0.0, w, h)?;
    bitmap.close();
    let pixels = context.get_image_data(0.0, 0.0, w, h)?;
    Ok((width as usize, height as usize, pixels.data().0))
}
