//! Promise: every file in `shaders/` compiles, in both compilers that
//! browsers use, keeps to WebGPU's default limits and to the rules of a raw kernel under burn, and agrees
//! with its Rust twin on the parameters.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use naga::valid::{Capabilities, GlobalUse, ModuleInfo, ValidationFlags, Validator};
use naga::{
    AddressSpace, GlobalVariable, Module, ScalarKind, ShaderStage, StorageAccess, TypeInner,
};
use retune::kernels::gpu::params::Field;
use retune::kernels::gpu::source::{Shader, Source};
use retune::kernels::shaders as registered;

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

/// Runs the check on every kernel and lists all that fail.
fn check_all(check: impl Fn(&Shader, &Source) -> Result<(), String>) {
    let mut failures = Vec::new();
    for shader in registered() {
        let source = shader.source();
        if let Err(reason) = check(&shader, &source) {
            failures.push(format!("{}: {reason}", source.id()));
        }
    }
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

fn validated(source: &Source) -> Result<(Module, ModuleInfo), String> {
    let text = source.text();
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
fn naga_accepts_every_kernel() {
    check_all(|_, source| validated(source).map(drop));
}

/// tint is Chrome's compiler; it refuses barriers that not every invocation may reach, which naga passes.
#[test]
fn tint_accepts_every_kernel() {
    if let Err(e) = Command::new("tint").arg("--help").output() {
        println!("tint is not installed ({e}): nothing checked");
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    check_all(|_, source| {
        let path = folder.join(format!(
            "{}.wgsl",
            source.id().replace([' ', '=', '<', '>'], "_")
        ));
        std::fs::write(&path, source.text()).map_err(|e| format!("{}: {e}", path.display()))?;
        let written = folder.join("tint.wgsl");
        let arguments = [
            "--format".as_ref(),
            "wgsl".as_ref(),
            "-o".as_ref(),
            written.as_os_str(),
        ];
        let output = Command::new("tint").args(arguments).arg(&path).output();
        let output = output.map_err(|e| format!("tint: {e}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{said}");
        Ok(())
    });
}

#[test]
fn kernels_keep_to_the_rules_and_limits() {
    check_all(|shader, source| {
        let (module, info) = validated(source)?;
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
            shader.workgroup == [x, y, z],
            "a workgroup of {x} x {y} x {z}, in Rust {:?}",
            shader.workgroup
        );
        ensure!(
            x * y * z <= INVOCATIONS && z <= WORKGROUP_Z,
            "a workgroup of {x} x {y} x {z}"
        );

        let shared = module
            .global_variables
            .iter()
            .filter(|(_, v)| v.space == AddressSpace::WorkGroup);
        let bytes: u32 = shared
            .map(|(_, v)| module.types[v.ty].inner.size(module.to_ctx()))
            .sum();
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
    check_all(|shader, source| {
        let (module, _) = validated(source)?;
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
            match shader.params.get(i) {
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
            members.len() == shader.params.len(),
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
