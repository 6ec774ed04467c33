//! Promise: in the code that AMD's compiler makes of the kernels nothing is spilled, and the products spend their time
//! on multiply-adds. A share of them that is low is a share of the GPU's peak that no size or tuning brings back.
//!
//! It needs Mesa's driver and no card, and it compiles what a GPU gets natively: naga's SPIR-V, as cubecl and wgpu ask
//! for it. The figures stand in shaders/README.md and have to be those of the kernels where Mesa's version is the one
//! there; with `RETUNE_WRITE=1` they are written there. For a kernel at work, with tunables set or not, or for SPIR-V
//! of another compiler:
//!
//! ```text
//! RETUNE_WGSL="shaders/conv_channels_last.wgsl PIXELS=4u" cargo test --release --test compiled -- --ignored --exact files --nocapture
//! ```

mod listing;
mod radv;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use listing::{Hottest, hottest};
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ValidationFlags, Validator};
use radv::{Compiled, Radv};
use retune::kernels::launched;

/// Least share of multiply-adds in all that a product issues.
const SHARE: f64 = 0.7;

/// Files with products of matrices and convolutions for hardware: have to reach it.
const PRODUCTS: [&str; 5] = [
    "conv_channels_last",
    "conv_channels_last_registers",
    "conv_grouped_strip_channels_last",
    "conv_weight_gradient",
    "peak_fma",
];

/// One that has to reach another share: of a row of an image's three colours each pixel may be outside, so that every
/// load of it has a place of its own to look for, which no other invocation shares.
const STEM: (&str, f64) = ("conv_channels_last_registers NARROW=true", 0.65);

/// Files that only software adapters run, where registers are memory anyway: printed.
const SOFTWARE: [&str; 3] = ["matmul_nt", "matmul_registers", "matmul_registers_narrow"];

/// Convolutions of narrow groups, too narrow for a product's tiles: printed. Most of their loads feed few multiply-adds.
const NARROW: [&str; 4] = [
    "conv_depthwise_channels_last",
    "conv_depthwise_weights",
    "conv_grouped_channels_last",
    "conv_grouped_weights",
];

/// What stands round the table in shaders/README.md.
const MARKS: [&str; 2] = ["<!-- tests/compiled: -->\n", "<!-- :tests/compiled -->\n"];

/// A module and what became of it.
struct Row {
    name: String,
    compiled: Compiled,
    hottest: Hottest,
}

/// The compiler. A process has one.
fn radv() -> &'static Radv {
    static RADV: OnceLock<Radv> = OnceLock::new();
    RADV.get_or_init(|| Radv::start().unwrap_or_else(|reason| panic!("{reason}")))
}

impl Row {
    fn new(name: String, spirv: &[u32]) -> Self {
        let compiled = radv().compile(spirv);
        let compiled = compiled.unwrap_or_else(|reason| panic!("{name}: {reason}"));
        let hottest = hottest(&compiled.assembly);
        Self {
            name,
            compiled,
            hottest,
        }
    }

    /// The kernel's file.
    fn file(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    fn is_in(&self, files: &[&str]) -> bool {
        files.contains(&self.file())
    }

    fn share(&self) -> f64 {
        self.hottest.counts.fused as f64 / self.hottest.counts.all as f64
    }

    /// Whether its time goes into multiply-adds, whatever list it is in: most of what it does on vectors.
    fn multiplies(&self) -> bool {
        let counts = self.hottest.counts;
        counts.fused >= 64 && 2 * counts.fused >= counts.vector
    }

    /// What is wrong with it.
    fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.compiled.spilled > 0 {
            faults.push(format!("spills {} registers", self.compiled.spilled));
        }
        if self.compiled.scratch > 0 {
            let bytes = self.compiled.scratch;
            faults.push(format!(
                "an invocation has {bytes} bytes of its own in memory"
            ));
        }
        if self.is_in(&PRODUCTS) {
            let least = if self.name == STEM.0 { STEM.1 } else { SHARE };
            if self.share() < least {
                let percent = 100.0 * self.share();
                faults.push(format!(
                    "{percent:.1} % of what it issues are multiply-adds"
                ));
            }
            if !self.hottest.unknown.is_empty() {
                let loops = self.hottest.unknown.join(", ");
                faults.push(format!("the length of loops is not known: {loops}"));
            }
        } else if self.multiplies() && !self.is_in(&NARROW) {
            faults.push(
                "it looks like a product and is in none of PRODUCTS, NARROW and SOFTWARE"
                    .to_owned(),
            );
        }
        faults
    }
}

/// naga's SPIR-V with the settings of cubecl 0.11 (`ShaderRuntimeChecks::unchecked`) in wgpu 30.
fn spirv(name: &str, wgsl: &str) -> Vec<u32> {
    let refused = |reason: String| -> ! { panic!("{name}: {reason}") };
    let module = naga::front::wgsl::parse_str(wgsl);
    let module = module.unwrap_or_else(|e| refused(e.emit_to_string(wgsl)));
    let mut validator = Validator::new(ValidationFlags::all(), Capabilities::all());
    let info = validator.validate(&module);
    let info = info.unwrap_or_else(|e| refused(e.emit_to_string(wgsl)));
    let unchecked = BoundsCheckPolicy::Unchecked;
    let options = spv::Options {
        lang_version: (1, 6),
        flags: spv::WriterFlags::empty(),
        bounds_check_policies: BoundsCheckPolicies {
            index: unchecked,
            buffer: unchecked,
            image_load: unchecked,
            binding_array: unchecked,
        },
        zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..Default::default()
    };
    let entry = spv::PipelineOptions {
        shader_stage: naga::ShaderStage::Compute,
        entry_point: "main".to_owned(),
    };
    let words = spv::write_vec(&module, &info, &options, Some(&entry));
    words.unwrap_or_else(|e| refused(e.to_string()))
}

/// In Markdown: products first.
fn table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| kernel | VGPRs | spilled | scratch | workgroup memory | waves | multiply-adds | all | share |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let groups = [
        |row: &&Row| row.is_in(&PRODUCTS),
        |row: &&Row| row.is_in(&SOFTWARE),
        |row: &&Row| !row.is_in(&PRODUCTS) && !row.is_in(&SOFTWARE),
    ];
    for row in groups.iter().flat_map(|group| rows.iter().filter(group)) {
        let (compiled, counts) = (&row.compiled, row.hottest.counts);
        let share = match counts.fused {
            0 => String::new(),
            _ => format!("{:.0} %", 100.0 * row.share()),
        };
        let more = if row.hottest.unknown.is_empty() {
            ""
        } else {
            "+"
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {}{more} | {share} |",
            row.name,
            compiled.vgprs,
            compiled.spilled,
            compiled.scratch,
            compiled.shared,
            compiled.waves,
            counts.fused,
            counts.all,
        );
    }
    text
}

#[test]
#[ignore = "needs Mesa's driver for AMD's GPUs, of which no card is needed"]
fn compiled() {
    let kernels = launched();
    let rows: Vec<_> = kernels
        .iter()
        .map(|kernel| {
            let name = kernel.to_string();
            let spirv = spirv(&name, kernel.text());
            Row::new(name, &spirv)
        })
        .collect();
    let table = table(&rows);
    println!("Mesa {}\n\n{table}", radv().mesa);
    let mut failures = Vec::new();
    for row in rows.iter().filter(|row| !row.is_in(&SOFTWARE)) {
        let faults = row.faults();
        if !faults.is_empty() {
            failures.push(format!("{}: {}", row.name, faults.join("; ")));
        }
    }
    assert!(rows.iter().any(|row| row.name == STEM.0), "no {}", STEM.0);
    for file in [&PRODUCTS[..], &SOFTWARE].concat() {
        if !kernels.iter().any(|kernel| kernel.name() == file) {
            failures.push(format!("{file} is listed here and not launched"));
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    check_readme(&format!("Mesa {}:\n\n{table}", radv().mesa));
}

/// Compares what stands in shaders/README.md, if it is of the same version of Mesa, or writes it there.
fn check_readme(found: &str) {
    let path = root().join("shaders/README.md");
    let text = std::fs::read_to_string(&path).expect("shaders/README.md");
    let (before, rest) = text
        .split_once(MARKS[0])
        .expect("the mark before the table");
    let (written, after) = rest.split_once(MARKS[1]).expect("the mark after the table");
    if std::env::var_os("RETUNE_WRITE").is_some() {
        let text = [before, MARKS[0], found, MARKS[1], after].concat();
        std::fs::write(&path, text).expect("shaders/README.md");
        return;
    }
    let mesa = |text: &str| text.lines().next().map(str::to_owned);
    if mesa(written) != mesa(found) {
        println!("shaders/README.md has the figures of another Mesa: not compared");
        return;
    }
    assert!(
        written == found,
        "shaders/README.md has other figures than these kernels; RETUNE_WRITE=1 puts them there"
    );
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
#[ignore = "for a kernel at work: prints what becomes of the files in RETUNE_WGSL"]
fn files() {
    let words = std::env::var("RETUNE_WGSL")
        .expect("RETUNE_WGSL: files, each with NAME=VALUE after it or not");
    let mut rows: Vec<Row> = Vec::new();
    let mut words = words.split_whitespace().peekable();
    while let Some(file) = words.next() {
        let path = root().join(file);
        let mut name = path
            .file_stem()
            .expect("a file")
            .to_string_lossy()
            .into_owned();
        if path.extension().is_some_and(|extension| extension == "spv") {
            let bytes = std::fs::read(&path).expect("a file of SPIR-V");
            let words = bytes
                .chunks_exact(4)
                .map(|four| [four[0], four[1], four[2], four[3]]);
            let spirv: Vec<_> = words.map(u32::from_le_bytes).collect();
            rows.push(Row::new(name, &spirv));
            continue;
        }
        let mut text = joined(&path);
        while let Some(word) = words.next_if(|word| word.contains('=')) {
            let (tunable, value) = word.split_once('=').expect("a value");
            text = set(&text, tunable, value);
            name = format!("{name} {word}");
        }
        let spirv = spirv(&name, &text);
        rows.push(Row::new(name, &spirv));
    }
    for row in &rows {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}.s", row.name));
        std::fs::write(&path, &row.compiled.assembly).expect("a file");
        println!("{}: {:?}, from {}", row.name, row.hottest, path.display());
    }
    println!("{}", table(&rows));
}

/// A file and the libraries that its header names.
fn joined(path: &Path) -> String {
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path);
        text.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    let text = read(path.to_owned());
    let names = text.lines().find_map(|line| line.strip_prefix("// lib/: "));
    let libs = names.into_iter().flat_map(|names| names.split(", "));
    let libs = libs.map(|name| read(path.with_file_name("lib").join(name)));
    std::iter::once(text.clone())
        .chain(libs)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Rewrites a `const` line.
fn set(text: &str, tunable: &str, value: &str) -> String {
    let starts = format!("const {tunable}: ");
    let lines = text.lines().map(|line| match line.split_once(" = ") {
        Some((start, _)) if line.starts_with(&starts) => format!("{start} = {value};\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}
