//! `cargo xtask bench peers`: Retune beside onnxruntime-web and TensorFlow.js. Figures from two browsers,
//! two adapters or two hours compare machines, not programs; so all take turns in one Chromium, on the
//! adapter that all of them get. The peers' pages and the model that they run are in `benches/peers`.

mod fine_tune;
mod first_result;
mod forward;
mod site;
mod stage;

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use xtask::build::Profile;
use xtask::project::root;

use self::forward::Cell;
use self::site::Site;
use crate::driver::Driver;
use crate::host::Host;

/// `cargo xtask bench peers`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Write the figures here.
    #[arg(long)]
    json: Option<PathBuf>,
    /// How often each contestant gets its turn.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// Edge of the input x images a batch.
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "150x1,224x1,150x16,224x16"
    )]
    cells: Vec<Cell>,
    /// Only these contestants [default: the WebGPU ones, and retune-cpu].
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Peer>,
    /// The CPU's contestants instead, each on one thread and on two.
    #[arg(long, conflicts_with = "only")]
    cpu: bool,
    /// Minutes after which a contestant gets no more turns in a cell; the turn it is in is finished.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Measure instead: from the navigation to the first result, each time in a new browser profile.
    #[arg(long)]
    first_result: bool,
    /// Measure instead: a step of fine-tuning head and last stage.
    #[arg(long)]
    fine_tune: bool,
    /// Measure this page instead of building one.
    #[arg(long)]
    dist: Option<PathBuf>,
    /// Where the peers are installed, or are to be [default: target/peers].
    #[arg(long)]
    peers: Option<PathBuf>,
}

/// Who takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Peer {
    RetuneWebgpu,
    /// On as many threads as the machine has processors.
    RetuneCpu,
    #[value(name = "retune-cpu-1t")]
    RetuneCpu1,
    #[value(name = "retune-cpu-2t")]
    RetuneCpu2,
    OrtWebgpu,
    TfjsWebgpu,
    #[value(name = "ort-wasm-1t")]
    OrtWasm1,
    #[value(name = "ort-wasm-2t")]
    OrtWasm2,
    #[value(name = "tfjs-wasm-1t")]
    TfjsWasm1,
    #[value(name = "tfjs-wasm-2t")]
    TfjsWasm2,
}

/// What a contestant is made of.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// Our worker, started on this device; `query` is what its address ends with.
    Worker {
        device: &'static str,
        query: &'static str,
    },
    /// A page of the peers' site, with its query.
    Page { address: &'static str },
}

impl Peer {
    const DEFAULT: [Self; 4] = [
        Self::RetuneWebgpu,
        Self::RetuneCpu,
        Self::OrtWebgpu,
        Self::TfjsWebgpu,
    ];

    /// All on the CPU, on one thread and on two.
    const CPU: [Self; 6] = [
        Self::RetuneCpu1,
        Self::RetuneCpu2,
        Self::OrtWasm1,
        Self::OrtWasm2,
        Self::TfjsWasm1,
        Self::TfjsWasm2,
    ];

    /// Each of ours, and those that run where it runs.
    const RIVALS: [(Self, [Self; 2]); 3] = [
        (Self::RetuneWebgpu, [Self::OrtWebgpu, Self::TfjsWebgpu]),
        (Self::RetuneCpu1, [Self::OrtWasm1, Self::TfjsWasm1]),
        (Self::RetuneCpu2, [Self::OrtWasm2, Self::TfjsWasm2]),
    ];

    /// As on the command line.
    fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }

    const fn kind(self) -> Kind {
        match self {
            Self::RetuneWebgpu => Kind::Worker {
                device: "gpu",
                query: "",
            },
            Self::RetuneCpu => Kind::Worker {
                device: "cpu",
                query: "",
            },
            Self::RetuneCpu1 => Kind::Worker {
                device: "cpu",
                query: "?threads=1",
            },
            Self::RetuneCpu2 => Kind::Worker {
                device: "cpu",
                query: "?threads=2",
            },
            Self::OrtWebgpu => Kind::Page {
                address: "ort.html?ep=webgpu",
            },
            Self::TfjsWebgpu => Kind::Page {
                address: "tfjs.html?backend=webgpu",
            },
            Self::OrtWasm1 => Kind::Page {
                address: "ort.html?ep=wasm&threads=1",
            },
            Self::OrtWasm2 => Kind::Page {
                address: "ort.html?ep=wasm&threads=2",
            },
            Self::TfjsWasm1 => Kind::Page {
                address: "tfjs.html?backend=wasm&threads=1",
            },
            Self::TfjsWasm2 => Kind::Page {
                address: "tfjs.html?backend=wasm&threads=2",
            },
        }
    }

    const fn is_ours(self) -> bool {
        matches!(self.kind(), Kind::Worker { .. })
    }
}

/// Everything that is running for the measurements.
struct Arena {
    driver: Driver,
    /// Our page.
    host: Host,
    /// The peers' pages.
    site: Site,
}

/// Measures, prints, and writes the JSON.
pub async fn run(options: &Options) -> Result<()> {
    let contestants: &[Peer] = match (&options.only[..], options.fine_tune) {
        ([], _) if options.cpu => &Peer::CPU,
        ([], false) => &Peer::DEFAULT,
        // onnxruntime-web cannot train, and minutes a step are enough without the CPU path.
        ([], true) => &[Peer::RetuneWebgpu, Peer::TfjsWebgpu],
        (only, _) => only,
    };
    let installed = site::Installed::find(options.peers.as_deref())?;
    // Ours is compiled only if it takes part: to look at the peers alone costs no build.
    let dist = if contestants.iter().any(|peer| peer.is_ours()) {
        super::built(options.dist.as_deref(), Profile::Web)?
    } else {
        crate::default_dist()
    };
    let arena = Arena {
        driver: Driver::start().await?,
        host: Host::start(&dist, Vec::new()).await?,
        site: Site::start(&installed).await?,
    };
    let retune = match &options.dist {
        None => revision(),
        // Nothing in a built page says what it was built from, and the checkout may have moved on.
        Some(dist) => format!("unknown, built before in {}", dist.display()),
    };
    let mut figures = surroundings(&arena, &installed, retune).await?;
    if !options.first_result && !options.fine_tune {
        forward::run(&arena, &installed, options, contestants, &mut figures).await?;
    }
    if options.first_result {
        first_result::run(&arena, options.rounds, contestants, &mut figures).await?;
    }
    if options.fine_tune {
        fine_tune::run(&arena, contestants, &mut figures).await?;
    }
    match &options.json {
        Some(path) => super::write_json(path, &Value::Object(figures)),
        None => Ok(()),
    }
}

/// What Chromium calls adapters that are the CPU in disguise.
const SOFTWARE: [&str; 2] = ["swiftshader", "llvmpipe"];

/// What the figures depend on besides the contestants.
async fn surroundings(
    arena: &Arena,
    installed: &site::Installed,
    retune: String,
) -> Result<Map<String, Value>> {
    let mut versions = installed.versions()?;
    versions.insert("retune".to_owned(), json!(retune));
    let (chromium, adapter) = stage::look_round(arena).await?;
    println!("chromium {chromium}, adapter {adapter}");
    let listed = versions.iter().map(|(name, version)| {
        let version = version.as_str().unwrap_or_default();
        format!("{name} {version}")
    });
    println!("{}", listed.collect::<Vec<_>>().join(", "));
    println!("{}", installed.model()?);
    if SOFTWARE.iter().any(|name| adapter.contains(name)) {
        println!(
            "a software adapter: the order of the contestants here is no forecast for a GPU, as Retune \
             has kernels for such an adapter and the peers have not"
        );
    }
    let mut figures = Map::new();
    figures.insert("adapter".to_owned(), json!(adapter));
    figures.insert("chromium".to_owned(), json!(chromium));
    figures.insert("versions".to_owned(), Value::Object(versions));
    figures.insert("rows".to_owned(), json!([]));
    Ok(figures)
}

/// The checkout's commit, marked if there is more than that in it.
fn revision() -> String {
    let output = Command::new("git")
        .current_dir(root())
        .args(["describe", "--always", "--dirty"])
        .output();
    match output {
        Ok(output) if output.status.success() => {
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        }
        _ => "unknown (no git)".to_owned(),
    }
}
