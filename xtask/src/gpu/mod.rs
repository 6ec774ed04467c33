//! `cargo xtask bench gpu`: the networks on a real GPU with our kernels, with burn's own ops and in PyTorch, in
//! one table. It runs the two programs of `benches/`, or reads what they wrote on another machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use serde_json::{Value, json};

use crate::project::{cargo, root, run, step, target_dir};

mod table;

/// `cargo xtask bench gpu`.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench gpu")]
pub struct Options {
    /// Networks, by torchvision's names.
    #[arg(long, default_value = "resnet18,resnet50")]
    arch: String,
    /// Edge of the square images.
    #[arg(long, default_value_t = 224)]
    size: usize,
    /// Images at a time.
    #[arg(long, default_value = "1,16,64")]
    batch: String,
    /// Each distinct layer as well.
    #[arg(long)]
    layers: bool,
    /// Leave out a training step.
    #[arg(long)]
    no_steps: bool,
    /// Measurements of each figure.
    #[arg(long, default_value_t = 15)]
    runs: u32,
    /// Longest tuning of one network at one batch; 0 keeps the kernels' defaults.
    #[arg(long, default_value_t = 120.0)]
    seconds: f64,
    /// Measure on a software adapter too: it shows that the bench works, and nothing else.
    #[arg(long)]
    software: bool,
    /// A Python with PyTorch.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// PyTorch's device: cuda or cpu.
    #[arg(long, default_value = "cuda")]
    torch_device: String,
    /// Leave PyTorch out.
    #[arg(long)]
    no_torch: bool,
    /// Measure nothing: show what `benches/kernels` wrote here.
    #[arg(long, value_name = "FILE")]
    ours: Option<PathBuf>,
    /// Show what `benches/torch_resnet.py` wrote here.
    #[arg(long, value_name = "FILE", conflicts_with = "no_torch")]
    torch: Option<PathBuf>,
    /// Write both programs' figures here.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

/// Measures, or reads, and prints the table.
///
/// # Errors
/// If our own bench fails; without PyTorch the table lacks its columns and says why.
pub fn bench(options: &Options) -> Result<()> {
    let folder = target_dir().join("gpu-bench");
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let ours = match &options.ours {
        Some(path) => read(path)?,
        None => step("ours and burn's", || measure_ours(options, &folder))?,
    };
    let software = ours["software"] == json!(true);
    ensure!(
        options.software || !software,
        "{} is a software adapter: its figures say nothing about a GPU (--software shows them anyway)",
        ours["adapter"].as_str().unwrap_or("this")
    );
    let mut why = None;
    let torch = match &options.torch {
        Some(path) => Some(read(path)?),
        // Figures of another machine have nothing to do with the PyTorch of this one.
        None if options.no_torch || options.ours.is_some() => None,
        None => match step("PyTorch", || measure_torch(options, &folder)) {
            Ok(figures) => Some(figures),
            Err(error) => {
                why = Some(format!("{error:#}"));
                None
            }
        },
    };
    println!("\n{}", table::networks(&ours, torch.as_ref()));
    if let Some(layers) = table::layers(&ours, torch.as_ref()) {
        println!("{layers}");
    }
    if let Some(why) = why {
        println!("No PyTorch: {why}");
    }
    if let Some(path) = &options.json {
        let both = json!({ "ours": ours, "torch": torch });
        std::fs::write(path, format!("{both:#}\n"))
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Runs `benches/kernels`.
fn measure_ours(options: &Options, folder: &Path) -> Result<Value> {
    let path = folder.join("ours.json");
    let mut command = cargo(["bench", "--locked", "--package", "retune"]);
    command.args(["--bench", "kernels", "--"]);
    common(&mut command, options);
    command.arg("--seconds").arg(options.seconds.to_string());
    if options.software {
        command.arg("--software");
    }
    run(command.arg("--json").arg(&path))?;
    read(&path)
}

/// Runs `benches/torch_resnet.py`.
fn measure_torch(options: &Options, folder: &Path) -> Result<Value> {
    let path = folder.join("torch.json");
    let mut command = Command::new(&options.python);
    command.arg(root().join("benches/torch_resnet.py"));
    common(&mut command, options);
    command.args(["--device", &options.torch_device]);
    // The figures are in the file too.
    command.stdout(std::process::Stdio::null());
    run(command.arg("--json").arg(&path))?;
    read(&path)
}

/// What both programs understand.
fn common(command: &mut Command, options: &Options) {
    command.args(["--arch", &options.arch, "--batch", &options.batch]);
    command.arg("--size").arg(options.size.to_string());
    command.arg("--runs").arg(options.runs.to_string());
    if options.layers {
        command.arg("--layers");
    }
    if options.no_steps {
        command.arg("--no-steps");
    }
}

fn read(path: &Path) -> Result<Value> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}
