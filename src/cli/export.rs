//! `retune export`: a model as a file to use elsewhere.

use std::io::Read;

use super::args::ExportArgs;
use super::failure::Result;
use super::out::line;
use super::output::Output;
use super::session::Session;
use super::write;
use crate::error::Error;
use crate::protocol::{Command, ExportKind};

/// Writes the file, and says how it did beside the model.
pub async fn run(args: &ExportArgs) -> Result<()> {
    let what = kind(args)?;
    let mut session = Session::start(&args.common, Output::quiet()).await?;
    session.handle(Command::Export { what }, Vec::new()).await?;
    let output = session.output();
    let shown = args.out.display();
    if ending(args) == "onnx" && what != ExportKind::OnnxTensor {
        write(&args.out, &unpacked(&output.exported)?)?;
    } else {
        write(&args.out, &output.exported)?;
    }
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

fn ending(args: &ExportArgs) -> String {
    let ending = args
        .out
        .extension()
        .map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.unwrap_or_default()
}

/// What is to be written, by the file's ending.
fn kind(args: &ExportArgs) -> Result<ExportKind> {
    let refuse = |what: &str, reason: &str| Err(Error::setting(what, reason).into());
    Ok(match (&*ending(args), args.half, args.tensor) {
        ("onnx", true, true) => return refuse("--half", "--tensor writes 32 bits only"),
        ("onnx", _, true) => ExportKind::OnnxTensor,
        ("zip" | "safetensors", _, true) => {
            return refuse("--tensor", "is for a file that ends in .onnx");
        }
        ("zip" | "onnx", true, _) => ExportKind::HalfOnnx,
        ("zip" | "onnx", false, _) => ExportKind::Onnx,
        ("safetensors", true, _) => ExportKind::HalfModel,
        ("safetensors", false, _) => ExportKind::Model,
        _ => {
            let reason = "ends in none of .zip, .onnx and .safetensors";
            return refuse(&args.out.display().to_string(), reason);
        }
    })
}

/// The `.onnx` file in the zip.
fn unpacked(zip: &[u8]) -> Result<Vec<u8>> {
    let fail = |error: &dyn std::fmt::Display| Error::Storage(format!("the export: {error}"));
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip)).map_err(|e| fail(&e))?;
    let mut file = zip.by_index(0).map_err(|e| fail(&e))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(|e| fail(&e))?;
    Ok(bytes)
}
