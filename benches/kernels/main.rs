//! Speed of the networks on a GPU: with our kernels and with burn's own ops in turn, whole and layer by layer,
//! against what the GPU was measured to be capable of. `benches/README.md` says how to run it and where.

mod counts;
mod layers;
mod measure;
mod network;
mod peak;
mod step;

use std::path::PathBuf;

use burn::tensor::{Device, Tensor};
use burn_cubecl::cubecl::dry_run::DryRun;
use clap::Parser;
use retune::config::{Arch, DeviceChoice};
use retune::error::{Error, Result};
use retune::kernels::autotune::{Tuned, tune};
use retune::kernels::gpu::launch::{Buffer, Gpu};
use retune::kernels::self_test::self_test;
use retune::model::backbone::Backbone;
use retune::platform::device;
use retune::platform::device_state::Adapter;
use serde_json::{Value, json};

use crate::counts::Counts;
use crate::measure::{Peer, clock};
use crate::peak::Peaks;
use crate::step::Step;

/// Speed of the networks on a GPU.
#[derive(Debug, Parser)]
struct Options {
    /// Networks, by torchvision's names.
    #[arg(long, value_delimiter = ',', default_value = "resnet18,resnet50", value_parser = arch)]
    arch: Vec<Arch>,
    /// Edge of the square images.
    #[arg(long, default_value_t = 224)]
    size: usize,
    /// Images at a time.
    #[arg(long, value_delimiter = ',', default_value = "1,16,64")]
    batch: Vec<usize>,
    /// Write the figures here, after every network and batch.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Measure each distinct layer as well.
    #[arg(long)]
    layers: bool,
    /// Leave out a training step, which is measured at every batch above one.
    #[arg(long)]
    no_steps: bool,
    /// Measure nothing: count launches and bytes on the way that hardware takes, on any adapter, without running a kernel.
    #[arg(long)]
    count: bool,
    /// Measurements of each figure.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Longest tuning of one network at one batch; 0 keeps the kernels' defaults.
    #[arg(long, default_value_t = 120.0)]
    seconds: f64,
    /// Measure on a software adapter too: it shows that the bench works, and nothing else.
    #[arg(long)]
    software: bool,
    /// What cargo passes.
    #[arg(long, hide = true)]
    bench: bool,
}

fn arch(name: &str) -> std::result::Result<Arch, String> {
    Arch::from_name(name).ok_or_else(|| format!("{name} is no network here"))
}

/// Where everything runs.
struct Bench {
    device: Device,
    gpu: Gpu,
    peaks: Peaks,
    runs: u32,
}

fn main() -> std::process::ExitCode {
    match pollster::block_on(run(&Options::parse())) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.reason());
            std::process::ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    let opened = device::open(DeviceChoice::Gpu).await?;
    let anything = Tensor::<1>::zeros([1], &opened.device);
    let gpu = Buffer::of(&anything).map(|buffer| buffer.gpu());
    let gpu = gpu.ok_or_else(|| Error::Gpu("the tensors are not on the GPU".to_string()))?;
    if options.count {
        return count(options, &opened.device, &gpu);
    }
    let software = gpu.adapter() == Adapter::Software;
    if software && !options.software {
        return Err(Error::Gpu(format!(
            "{} is a software adapter: its figures say nothing about a GPU (--software measures it anyway)",
            opened.name
        )));
    }
    println!("adapter: {}, clock: {}", opened.name, clock(&gpu));

    let peaks = peak::measure(&gpu, &opened.device, software, options.runs).await?;
    println!(
        "peak: {:.3} TFLOP/s fp32 ({}), {:.1} GB/s copying",
        peaks.tflops, peaks.spelling, peaks.gb_s
    );
    let mut report = json!({
        "adapter": opened.name,
        "software": software,
        "clock": clock(&gpu),
        "peaks": {
            "fp32_tflops": peaks.tflops,
            "spelling": peaks.spelling,
            "copy_gb_s": peaks.gb_s,
        },
        "rows": [],
        "layers": [],
        "notes": [],
    });
    let bench = Bench {
        device: opened.device,
        gpu,
        peaks,
        runs: options.runs,
    };
    for &arch in &options.arch {
        let backbone = network::load(arch, &bench.device)?;
        for &batch in &options.batch {
            if let Err(error) = one(&bench, options, &backbone, batch, &mut report).await {
                // The others may fit.
                let note = format!("{} at batch {batch}: {}", arch.name(), error.reason());
                println!("failed: {note}");
                push(&mut report, "notes", [json!(note)]);
            }
            write(options, &report)?;
        }
    }
    Ok(())
}

/// A forward and a training step of each network at each batch, only counted: cubecl drops the launches and allocates
/// nothing for them.
fn count(options: &Options, device: &Device, gpu: &Gpu) -> Result<()> {
    gpu.state().set_adapter(Adapter::Hardware);
    let networks = options.arch.iter();
    let networks: Vec<_> = networks
        .map(|arch| Ok((*arch, network::load(*arch, device)?)))
        .collect::<Result<_>>()?;
    let _dry = DryRun::new();
    println!("| network | images | what | launches | of them ours | MB of ours |");
    println!("|---|--:|---|--:|--:|--:|");
    for (arch, backbone) in networks {
        for &batch in &options.batch {
            let say = |what: &str, counts: Counts| {
                println!("| {} | {batch} | {what} | {counts} |", arch.name());
            };
            let images = Tensor::<4>::zeros([batch, 3, options.size, options.size], device);
            let forward = || drop(backbone.forward(images.clone()));
            // The first packs the weights.
            forward();
            say("forward", Counts::of(gpu, forward));
            if batch > 1 && !options.no_steps {
                let mut step = Step::new(arch, batch, options.size, device)?;
                step.queue();
                step.queue();
                say("training step", Counts::of(gpu, || step.queue()));
            }
        }
    }
    Ok(())
}

/// One network at one batch.
async fn one(
    bench: &Bench,
    options: &Options,
    backbone: &Backbone,
    batch: usize,
    report: &mut Value,
) -> Result<()> {
    // Whatever a failure before left selected.
    Peer::Retune.select(&bench.gpu);
    let layers = backbone.layers(batch, options.size);
    let name = backbone.arch().name();
    if options.seconds > 0.0 {
        println!("tuning {name} at batch {batch}");
        tune(&bench.device, &layers, options.seconds, Tuned::default()).await?;
    }
    // A wrong kernel is out of use afterwards, and is not measured.
    for failure in self_test(&bench.device, &layers, |_, _| {}).await? {
        let note = format!(
            "{} failed its self-test: {}",
            failure.kernel, failure.reason
        );
        println!("{note}");
        push(report, "notes", [json!(note)]);
    }
    let rows = network::measure(bench, backbone, batch, options.size).await?;
    push(report, "rows", rows);
    // Batch norms need more than one image.
    if batch > 1 && !options.no_steps {
        let rows = step::measure(bench, backbone.arch(), batch, options.size).await?;
        push(report, "rows", rows);
    }
    if options.layers {
        let rows = layers::measure(bench, name, options.size, &layers).await?;
        push(report, "layers", rows);
    }
    Ok(())
}

fn push(report: &mut Value, key: &str, items: impl IntoIterator<Item = Value>) {
    let list = report[key].as_array_mut().expect("a list from the start");
    list.extend(items);
}

fn write(options: &Options, report: &Value) -> Result<()> {
    let Some(path) = &options.json else {
        return Ok(());
    };
    std::fs::write(path, format!("{report:#}\n"))
        .map_err(|error| Error::Storage(format!("{}: {error}", path.display())))
}
