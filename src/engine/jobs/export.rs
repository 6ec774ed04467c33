//! The model in use as a file to take away.

use std::collections::BTreeMap;

use crate::classes;
use crate::config::Scope;
use crate::data::demo;
use crate::engine::Engine;
use crate::engine::active_model::ActiveModel;
use crate::engine::image_loader;
use crate::error::{Error, Result};
use crate::image::encode_png;
use crate::infer::{Classifier, Given, read_model};
use crate::onnx;
use crate::protocol::{Event, ExportCheck, ExportKind, OnnxFile};
use crate::weights::SaveAs;

/// Images on which an exported file is compared with the model.
const COMPARED: usize = 8;

/// Hands out the head or the whole model as safetensors, or the whole model as ONNX.
pub(in crate::engine) async fn export(engine: &mut Engine, what: ExportKind) -> Result<()> {
    let model = engine.model()?;
    let what = match what {
        ExportKind::Head if model.classifier.tuned != Scope::Head => {
            engine.mailbox.warn(
                "The convolutions of this model were trained too, and its head is of no use without \
                 them: this is the whole model.",
            );
            ExportKind::Model
        }
        what => what,
    };
    let arch = model.classifier.backbone.arch().name();
    let safetensors = |part: &str| format!("{arch}-{part}.safetensors");
    let (name, bytes, check) = match what {
        ExportKind::Head => (safetensors("head"), model.head_file().await?, None),
        ExportKind::Model => (safetensors("retuned"), model.file(None).await?, None),
        ExportKind::HalfModel => {
            let bytes = model.file(Some(SaveAs::F16)).await?;
            (safetensors("retuned"), bytes, None)
        }
        ExportKind::Onnx { file, half } => {
            let input = match file {
                OnnxFile::Zip | OnnxFile::Image => onnx::Input::Image,
                OnnxFile::Tensor => onnx::Input::Tensor,
            };
            let dtype = if half { SaveAs::F16 } else { SaveAs::F32 };
            let bytes = onnx_file(model, onnx::Options { input, dtype }).await?;
            let check = Some(compare(engine, &bytes).await?);
            let name = format!("{arch}-retuned");
            match file {
                OnnxFile::Zip => {
                    let classes = &engine.model()?.classifier.classes;
                    let zip = onnx::package(&name, &bytes, classes)?;
                    (format!("{name}-onnx.zip"), zip, check)
                }
                OnnxFile::Image | OnnxFile::Tensor => (format!("{name}.onnx"), bytes, check),
            }
        }
    };
    (engine.mailbox).emit_with(Event::Exported { name, check }, vec![bytes]);
    Ok(())
}

/// The model as one `.onnx` file.
async fn onnx_file(model: &ActiveModel, options: onnx::Options) -> Result<Vec<u8>> {
    let classifier = &model.classifier;
    let backbone = model.backbone_file().await?;
    let head = classifier.head.state().await?;
    let head: BTreeMap<String, Vec<f32>> = (head.into_iter())
        .map(|(name, _, values)| (name, values))
        .collect();
    let of_backbone = |name: &str| backbone.tensors.get(name).map(|entry| &entry.data[..]);
    let tensor = |name: &str| match head.get(name) {
        Some(values) => Some(&values[..]),
        None => of_backbone(name),
    };
    let metadata = classifier.metadata(model.origin.sha256());
    let model = onnx::Model {
        graph: classifier.backbone.graph(),
        head: classifier.head.spec(),
        preprocess: &classifier.preprocess,
        classes: &classifier.classes,
        metadata: &metadata,
    };
    onnx::export(&model, options, tensor)
}

/// Reads an exported file back, runs it beside the model, and says how far their probabilities are apart: on images of
/// the open data set, else on drawn ones.
async fn compare(engine: &mut Engine, file: &[u8]) -> Result<ExportCheck> {
    let (mut images, mut own) = (Vec::new(), true);
    if let Some(data) = &mut engine.data {
        // Some of every class.
        let step = data.set.samples.len().div_ceil(COMPARED).max(1);
        let some = (0..data.set.samples.len()).step_by(step);
        let files = image_loader::files(&mut data.set, some).await;
        images.extend((files.into_iter()).filter_map(|(path, bytes)| Some((path, bytes.ok()?))));
    }
    if images.is_empty() {
        own = false;
        for index in 0..COMPARED {
            let class = index % classes::intel().len();
            let drawn = demo::draw(class, index, 160, 1);
            images.push((format!("drawn {index}"), encode_png(&drawn)?));
        }
    }
    let device = engine.device()?.device.clone();
    let (checkpoint, _) = read_model("export.onnx", file)?;
    let back = Classifier::load(checkpoint, None, Given::default(), &device)?.classifier;
    let model = engine.model()?;
    let (mut compared, mut difference) = (0, 0.0_f64);
    for (name, bytes) in &images {
        // What cannot be read says nothing of the file.
        let Ok(ours) = model.classifier.classify(name, bytes).await else {
            continue;
        };
        let theirs = back.classify(name, bytes).await?;
        if ours.len() != theirs.len() {
            return Err(Error::weights("export", "came back with another head"));
        }
        compared += 1;
        for (ours, theirs) in ours.iter().zip(&theirs) {
            difference = difference.max(f64::from((ours - theirs).abs()));
        }
    }
    Ok(ExportCheck {
        images: compared,
        own,
        difference,
    })
}
