//! An exported model with a text that shows how to run it elsewhere, as one zip.

use std::io::{Cursor, Read, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::import::MOST_BYTES;
use crate::error::{Error, Result};

/// The model's name in the zip.
const MODEL: &str = "model.onnx";

/// The zip of an `.onnx` file that takes images as they are; `name` is what the model is called.
///
/// # Errors
/// [`Error::Storage`] if there is no memory for it.
pub fn package(name: &str, model: &[u8], classes: &[String]) -> Result<Vec<u8>> {
    let fail =
        |error: &dyn std::fmt::Display| Error::Storage(format!("the zip of {name}: {error}"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    // Weights are noise to a packer.
    let stored = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(model.len() > u32::MAX as usize);
    let readme = readme(name, classes);
    for (file, bytes) in [(MODEL, model), ("README.md", readme.as_bytes())] {
        zip.start_file(file, stored).map_err(|error| fail(&error))?;
        zip.write_all(bytes).map_err(|error| fail(&error))?;
    }
    let file = zip.finish().map_err(|error| fail(&error))?;
    Ok(file.into_inner())
}

/// The only `.onnx` file of a zip, with its name; nothing where the bytes are no zip, or hold none or several.
///
/// # Errors
/// [`Error::Weights`] if it is damaged, or larger than an `.onnx` file may be.
pub fn unpack(file: &str, bytes: &[u8]) -> Result<Option<(String, Vec<u8>)>> {
    if !bytes.starts_with(b"PK") {
        return Ok(None);
    }
    let Ok(mut zip) = ZipArchive::new(Cursor::new(bytes)) else {
        return Ok(None);
    };
    // A name that cannot be read is none of ours.
    let names = zip.file_names().filter_map(std::result::Result::ok);
    let mut models: Vec<String> = (names.map(std::borrow::Cow::into_owned))
        .filter(|name| name.to_ascii_lowercase().ends_with(".onnx"))
        .collect();
    let (Some(model), true) = (models.pop(), models.is_empty()) else {
        return Ok(None);
    };
    let damaged = |error: &dyn std::fmt::Display| {
        Error::weights(file, format!("{model} in it cannot be read: {error}"))
    };
    let entry = zip.by_name(&model).map_err(|error| damaged(&error))?;
    let mut inner = Vec::new();
    // What it claims of its size is not believed.
    let most = MOST_BYTES as u64 + 1;
    entry
        .take(most)
        .read_to_end(&mut inner)
        .map_err(|error| damaged(&error))?;
    if inner.len() > MOST_BYTES {
        return Err(damaged(&"it is beyond 2 GiB"));
    }
    Ok(Some((format!("{file}/{model}"), inner)))
}

fn readme(name: &str, classes: &[String]) -> String {
    let list: Vec<String> = (classes.iter().enumerate())
        .map(|(index, class)| format!("{index}. {}", class.replace(['\n', '\r'], " ")))
        .collect();
    format!(
        r#"# {name}

`{MODEL}` holds the whole way of an image: resizing, normalisation, network, softmax. Its input `image` is an RGB
image of any size, uint8 `[height, width, 3]`; its outputs are `probabilities` and `logits`, one number a class. The
names of the classes stand in its metadata under `classes`, a JSON list:

{}

An image that has an orientation in its EXIF is to be turned first; transparency is to be laid over white. Where the file
resizes, a byte may be another by one than in Retune, and a probability by some ten-thousandths; an image that has the
network's size already gives the same probabilities.

## Python

```python
# pip install onnxruntime pillow numpy
import json
import numpy as np
import onnxruntime as ort
from PIL import Image, ImageOps

session = ort.InferenceSession("{MODEL}")
classes = json.loads(session.get_modelmeta().custom_metadata_map["classes"])
image = ImageOps.exif_transpose(Image.open("photo.jpg")).convert("RGB")
probabilities, _ = session.run(None, {{"image": np.asarray(image)}})
print(classes[int(probabilities.argmax())], float(probabilities.max()))
```

## JavaScript

```js
// npm install onnxruntime-web; in a page, after import * as ort from "onnxruntime-web"
const classes = {classes};
const session = await ort.InferenceSession.create("{MODEL}");
const bitmap = await createImageBitmap(file);
const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
context.drawImage(bitmap, 0, 0);
const rgba = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
const rgb = rgba.filter((_, i) => i % 4 < 3);
const image = new ort.Tensor("uint8", Uint8Array.from(rgb), [bitmap.height, bitmap.width, 3]);
const {{ probabilities }} = await session.run({{ image }});
console.log(classes[probabilities.data.indexOf(Math.max(...probabilities.data))]);
```

## Rust

```rust
// cargo add ort@=2.0.0-rc.15 image ndarray
use ndarray::Array3;
use ort::{{session::Session, value::Tensor}};

fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let photo = image::open("photo.jpg")?.to_rgb8();
    let (width, height) = (photo.width() as usize, photo.height() as usize);
    let image = Array3::from_shape_vec((height, width, 3), photo.into_raw())?;
    let environment = ort::init().build()?;
    let mut session = Session::builder(&environment)?.commit_from_file("{MODEL}")?;
    let outputs = session.run(ort::inputs!["image" => Tensor::from_array(image)?])?;
    let (_, probabilities) = outputs["probabilities"].try_extract_tensor::<f32>()?;
    println!("{{probabilities:?}}");
    Ok(())
}}
```

## TensorFlow Lite and Core ML

`pip install onnx2tf`, `onnx2tf -i {MODEL}` writes a `.tflite`. For Core ML the network is best taken from PyTorch
(`coremltools`); Retune's safetensors file has torchvision's names.
"#,
        list.join("\n"),
        classes = serde_json::Value::from(classes.to_vec())
    )
}
