//! Promise: every kernel in every form in which it is launched, and every value that its tunables may have besides, compiles,
//! keeps to WebGPU's default limits and to the rules of a raw kernel under burn, and agrees with its Rust twin on the
//! parameters.
//!
//! naga, Firefox's compiler, runs here. Tint, Chrome's, runs in Chrome: the scenario `shaders` of `cargo xtask e2e`
//! compiles what [`written`] leaves in `target/shaders`. Tint refuses barriers that not every invocation may reach,
//! which naga passes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{
    AddressSpace, GlobalVariable, Module, ScalarKind, ShaderStage, StorageAccess, TypeInner,
};
use retune::kernels::gpu::kernel::Kernel;
use retune::kernels::gpu::params::Field;
use retune::kernels::gpu::source::Shader;
use retune::kernels::{launched, shaders as registered};

/// WebGPU's defaults, which every device has. <https://www.w3.org/TR/webgpu/#limits>
const INVOCATIONS: u32 = 256;
const WORKGROUP_Z: u32 = 64;
const WORKGROUP_BYTES: u32 = 16 * 1024;
const STORAGE_BUFFERS: usize = 8;

fn shaders() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders")
}

/// Names of the WGSL files in a folder, none where there is no folder.
fn files(folder: &Path) -> BTreeSet<String> {
    let Ok(entries) = folder.read_dir() else {
        return BTreeSet::new();
    };
    let names = entries.map(|entry| entry.expect("a folder's entry").file_name());
    let names = names.map(|name| name.into_string().expect("a name in UTF-8"));
    names.filter(|name| name.ends_with(".wgsl")).collect()
}

/// What may be set besides what is launched: tunables, and values as WGSL writes them. A tuning may come to any of
/// them, so the compilers have to take them all.
const TUNABLES: [(&str, &[&str]); 12] = [
    // Of narrow groups: every form is launched, no other to try.
    ("BACKWARD", &[]),
    ("FOURS", &["1u", "2u"]),
    ("FUSED", &["false", "true"]),
    ("KERNEL_W", &[]), // as BACKWARD
    ("NARROW", &["false", "true"]),
    ("PIXELS", &["4u", "8u"]),
    ("ROWS", &[]),  // as BACKWARD, with VALUES
    ("SLIDE", &[]), // as BACKWARD
    ("TAPS", &[]),  // as BACKWARD
    ("THREADS_P", &["8u", "16u"]),
    ("TRANSPOSE", &["false", "true"]),
    ("VALUES", &[]), // as BACKWARD, with ROWS
];

/// A module, and what it is called.
struct Variant {
    name: String,
    text: String,
    workgroup: [u32; 3],
    shader: Shader,
}

/// Every kernel as it is launched.
fn variants() -> Vec<Variant> {
    let shaders: BTreeMap<_, _> = registered().into_iter().map(|s| (s.name, s)).collect();
    let variant = |kernel: &Kernel| Variant {
        name: kernel.to_string(),
        text: kernel.text().to_owned(),
        workgroup: kernel.workgroup(),
        shader: *shaders.get(kernel.name()).expect("a registered shader"),
    };
    launched().into_iter().map(variant).collect()
}

/// Each of them with each value of each tunable in turn, without what is launched too and what asks for more workgroup
/// memory than there is.
fn tuned() -> Vec<Variant> {
    let mut seen: BTreeSet<String> = variants().into_iter().map(|v| v.text).collect();
    let mut all = Vec::new();
    for launched in variants() {
        for (tunable, values) in TUNABLES {
            for value in values {
                let Some(text) = set(&launched.text, tunable, value) else {
                    continue;
                };
                if over_memory(&text) || !seen.insert(text.clone()) {
                    continue;
                }
                all.push(Variant {
                    name: format!("{}, then {tunable}={value}", launched.name),
                    text,
                    ..launched
                });
            }
        }
    }
    all
}

/// The text with another value in the line of a tunable, if it has one.
fn set(text: &str, tunable: &str, value: &str) -> Option<String> {
    let starts = format!("const {tunable}: ");
    let mut lines = text.split_inclusive('\n');
    let line = lines.find(|line| line.starts_with(&starts))?;
    let (start, old) = line.split_once(" = ")?;
    let (_, tail) = old.split_once(';')?;
    Some(text.replacen(line, &format!("{start} = {value};{tail}"), 1))
}

fn over_memory(text: &str) -> bool {
    let module = naga::front::wgsl::parse_str(text);
    module.is_ok_and(|module| workgroup_bytes(&module) > WORKGROUP_BYTES)
}

fn workgroup_bytes(module: &Module) -> u32 {
    let globals = module.global_variables.iter();
    let shared = globals.filter(|(_, v)| v.space == AddressSpace::WorkGroup);
    let bytes = shared.map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()));
    bytes.sum()
}

/// Runs the check on every variant and lists all that fail.
fn check_all(variants: Vec<Variant>, check: impl Fn(&Variant) -> Result<(), String>) {
    assert!(!variants.is_empty(), "nothing to check");
    let failed = variants.iter().filter_map(|variant| {
        let reason = check(variant).err()?;
        Some(format!("{}: {reason}", variant.name))
    });
    let failures: Vec<_> = failed.collect();
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// `ensure!(condition, "why {not}")`: an error unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err(format!($($reason)+));
        }
    };
}

fn validated(text: &str) -> Result<(Module, ModuleInfo), String> {
    let module = naga::front::wgsl::parse_str(text).map_err(|e| e.emit_to_string(text))?;
    // Packing two 16-bit numbers in a word is in every browser's WGSL.
    let capabilities = Capabilities::SHADER_FLOAT16_IN_FLOAT32;
    let info = Validator::new(ValidationFlags::all(), capabilities)
        .validate(&module)
        .map_err(|e| e.emit_to_string(text))?;
    Ok((module, info))
}

/// The variables bound to buffers, by binding, and how `main` uses each.
fn bindings<'a>(
    module: &'a Module,
    info: &ModuleInfo,
) -> Vec<(u32, &'a GlobalVariable, GlobalUse)> {
    let globals = module.global_variables.iter();
    let mut bindings: Vec<_> = globals
        .filter_map(|(handle, variable)| {
            let place = variable.binding.as_ref()?;
            assert_eq!(place.group, 0, "{:?}", variable.name);
            Some((place.binding, variable, info.get_entry_point(0)[handle]))
        })
        .collect();
    bindings.sort_by_key(|b| b.0);
    bindings
}

#[test]
fn the_table_is_complete() {
    let listed = registered();
    let names: Vec<String> = listed.iter().map(|s| format!("{}.wgsl", s.name)).collect();
    let there = files(&shaders());
    assert!(!there.is_empty(), "no shaders at all");
    assert_eq!(names, there.into_iter().collect::<Vec<_>>());
    let libs = listed.iter().flat_map(|shader| shader.libs);
    let libs: BTreeSet<String> = libs.map(|(name, _)| format!("{name}.wgsl")).collect();
    assert_eq!(
        libs,
        files(&shaders().join("lib")),
        "libraries used, and there"
    );
}

#[test]
fn every_kernel_is_launched_and_listed() {
    let kernels = launched();
    let names: BTreeSet<_> = kernels.iter().map(|kernel| kernel.name()).collect();
    let there: BTreeSet<_> = registered().iter().map(|shader| shader.name).collect();
    assert_eq!(names, there, "launched, and registered");
    let forms: BTreeSet<_> = kernels.iter().map(ToString::to_string).collect();
    assert_eq!(forms.len(), kernels.len(), "two are the same: {forms:?}");
    let known: BTreeSet<_> = TUNABLES.iter().map(|(name, _)| *name).collect();
    for kernel in &kernels {
        for (name, _) in kernel.values() {
            assert!(known.contains(name), "{kernel}: TUNABLES lacks {name}");
        }
    }
}

/// A kernel that is declared without `kernels!` is in no list.
#[test]
fn kernels_are_declared_by_the_macro() {
    fn walk(folder: &Path, bare: &mut Vec<PathBuf>) {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("a folder's entry").path();
            if path.is_dir() {
                walk(&path, bare);
            } else if !path.ends_with("gpu/kernel.rs") {
                let text = std::fs::read_to_string(&path).expect("a source file");
                if text.contains("LazyLock<Kernel>") {
                    bare.push(path);
                }
            }
        }
    }
    let mut bare = Vec::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    walk(&root.join("src/kernels"), &mut bare);
    assert!(bare.is_empty(), "kernels outside of kernels!: {bare:?}");
}

#[test]
fn naga_accepts_every_kernel() {
    check_all(variants(), |variant| validated(&variant.text).map(drop));
    check_all(tuned(), |variant| validated(&variant.text).map(drop));
}

#[test]
#[ignore = "writes the modules for the scenario `shaders` of `cargo xtask e2e`"]
fn written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/shaders");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    for variant in variants().into_iter().chain(tuned()) {
        let path = folder.join(format!("{}.wgsl", variant.name));
        std::fs::write(path, variant.text).expect("a file");
    }
}

#[test]
fn kernels_keep_to_the_rules_and_limits() {
    check_all(variants(), |variant| {
        let (module, info) = validated(&variant.text)?;
        ensure!(
            module.entry_points.len() == 1,
            "{} entry points",
            module.entry_points.len()
        );
        let main = &module.entry_points[0];
        ensure!(main.name == "main", "the entry is {}", main.name);
        ensure!(main.stage == ShaderStage::Compute, "{:?}", main.stage);
        let [x, y, z] = main.workgroup_size;
        ensure!(
            variant.workgroup == [x, y, z],
            "a workgroup of {x} x {y} x {z}, in Rust {:?}",
            variant.workgroup
        );
        ensure!(
            x * y * z <= INVOCATIONS && z <= WORKGROUP_Z,
            "a workgroup of {x} x {y} x {z}"
        );

        let bytes = workgroup_bytes(&module);
        ensure!(
            bytes <= WORKGROUP_BYTES,
            "{bytes} bytes of workgroup memory"
        );

        // Inputs, then outputs, then the parameters: burn binds buffers in that order.
        let bindings = bindings(&module, &info);
        ensure!(
            bindings.len() <= STORAGE_BUFFERS,
            "{} buffers",
            bindings.len()
        );
        let mut outputs = 0;
        for (i, (binding, variable, used)) in bindings.iter().enumerate() {
            let name = variable.name.as_deref().unwrap_or_default();
            ensure!(
                *binding as usize == i,
                "{name} is binding {binding}, not {i}"
            );
            ensure!(
                !used.is_empty(),
                "{name} is not used: the automatic layout leaves it out"
            );
            let AddressSpace::Storage { access } = variable.space else {
                return Err(format!("{name} is in {:?}", variable.space));
            };
            let last = i + 1 == bindings.len();
            let output = access.contains(StorageAccess::STORE);
            ensure!(
                (name == "params") == last,
                "{name} is binding {i} of {}",
                bindings.len()
            );
            ensure!(!(output && last), "params can be written");
            ensure!(
                output || last || outputs == 0,
                "{name}, an input, comes after an output"
            );
            ensure!(
                !output || used.contains(GlobalUse::WRITE),
                "{name} is never written"
            );
            outputs += usize::from(output);
        }
        ensure!(outputs > 0, "no output");
        Ok(())
    });
}

#[test]
fn parameters_are_those_of_the_rust_twin() {
    check_all(variants(), |variant| {
        let (module, _) = validated(&variant.text)?;
        let mut types = module.types.iter();
        let found = types.find(|(_, ty)| ty.name.as_deref() == Some("Params"));
        let Some((handle, ty)) = found else {
            return Err("no struct Params".to_owned());
        };
        let used = module.global_variables.iter().any(|(_, v)| v.ty == handle);
        ensure!(used, "no variable is a Params");
        let TypeInner::Struct { members, span } = &ty.inner else {
            return Err("Params is no struct".to_owned());
        };
        let kind = |member: &naga::StructMember| match &module.types[member.ty].inner {
            TypeInner::Scalar(s) if s.width == 4 && s.kind == ScalarKind::Uint => "u32",
            TypeInner::Scalar(s) if s.width == 4 && s.kind == ScalarKind::Float => "f32",
            _ => "neither u32 nor f32",
        };
        for (i, member) in members.iter().enumerate() {
            let name = member.name.as_deref().unwrap_or_default();
            let (offset, kind) = (member.offset as usize, kind(member));
            match variant.shader.params.get(i) {
                Some(field) if (field.name, field.offset, field.kind) == (name, offset, kind) => {}
                twin => {
                    return Err(format!(
                        "{name}: {kind} at {offset}, in Rust {}",
                        shown(twin)
                    ));
                }
            }
        }
        ensure!(
            members.len() == variant.shader.params.len(),
            "fewer fields than in Rust"
        );
        ensure!(*span as usize == 4 * members.len(), "{span} bytes");
        Ok(())
    });
}

fn shown(field: Option<&Field>) -> String {
    let text = |f: &Field| format!("{}: {} at {}", f.name, f.kind, f.offset);
    field.map_or_else(|| "nothing".to_owned(), text)
}
