//! `retune export`: a model as a file to use elsewhere.

use super::args::ExportArgs;
use super::failure::Result;
use super::files::write;
use super::out::line;
use super::output::Output;
use super::session::Session;
use crate::error::Error;
use crate::protocol::{Command, ExportKind, OnnxFile};

/// Writes the file, and says how it did beside the model.
pub async fn run(args: &ExportArgs) -> Result<()> {
    let what = kind(args)?;
    let mut session = Session::start(&args.common, Output::quiet()).await?;
    session.handle(Command::Export { what }, Vec::new()).await?;
    let output = session.output();
    let shown = args.out.display();
    write(&args.out, &output.exported)?;
    if args.common.json {
        let check = output.export_check;
        line(serde_json::json!({ "file": shown.to_string(), "check": check }));
        return Ok(());
    }
    let checked = output.export_check.map_or_else(String::new, |check| {
        format!(
            "; read back and run on {} drawn images, its probabilities are at most {:.1e} from the model's",
            check.images, check.difference
        )
    });
    line(format_args!("wrote {shown}{checked}"));
    Ok(())
}

/// What is to be written, by the file's ending.
fn kind(args: &ExportArgs) -> Result<ExportKind> {
    let refuse = |what: &str, reason: &str| Err(Error::setting(what, reason).into());
    let ending = args.out.extension();
    let ending = ending.map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    let half = args.half;
    let onnx = |file| ExportKind::Onnx { file, half };
    Ok(match (ending.as_deref(), half, args.tensor) {
        (Some("onnx"), true, true) => return refuse("--half", "--tensor writes 32 bits only"),
        (Some("onnx"), _, true) => onnx(OnnxFile::Tensor),
        (Some("zip" | "safetensors"), _, true) => {
            return refuse("--tensor", "is for a file that ends in .onnx");
        }
        (Some("zip"), ..) => onnx(OnnxFile::Zip),
        (Some("onnx"), ..) => onnx(OnnxFile::Image),
        (Some("safetensors"), true, _) => ExportKind::HalfModel,
        (Some("safetensors"), false, _) => ExportKind::Model,
        _ => {
            let reason = "ends in none of .zip, .onnx and .safetensors";
            return refuse(&args.out.display().to_string(), reason);
        }
    })
}
