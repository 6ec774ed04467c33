//! The engine with threads: its wasm on memory that workers share.
//!
//! Three things are out of the ordinary. The standard library is compiled along, as the one that rustup brings
//! knows no threads in a browser; `RUSTC_BOOTSTRAP` lets the pinned compiler do so. The linker is told to share
//! the memory and to export what wasm-bindgen lays out a thread's memory with. And wgpu is told that there are no
//! threads: with them it declares that its objects stay where they were made, while burn keeps every tensor in
//! types that may be sent. They do stay: kernels are launched by the engine's own thread alone, and what the pool
//! works on are plain numbers. As these are settings of one crate among many, the compiler is called through xtask
//! itself, see [`rustc`].

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use wasmparser::{Parser, Payload, TypeRef};

use crate::project::{WASM, ensure_installed};

/// Says to xtask that cargo calls it in rustc's place.
const WRAPPER: &str = "RETUNE_WRAPS_RUSTC";

/// The target's flags in `.cargo/config.toml`, which these replace, and what threads need. A module names the most memory that it
/// can ever have: 4 GiB, as without threads.
const FLAGS: [&str; 9] = [
    "-Ctarget-feature=+simd128,+atomics,+bulk-memory,+mutable-globals",
    "--cfg=getrandom_backend=\"wasm_js\"",
    "-Clink-arg=--shared-memory",
    "-Clink-arg=--import-memory",
    "-Clink-arg=--max-memory=4294967296",
    "-Clink-arg=--export=__wasm_init_tls",
    "-Clink-arg=--export=__tls_size",
    "-Clink-arg=--export=__tls_align",
    "-Clink-arg=--export=__tls_base",
];

/// Makes a `cargo build` one with threads.
///
/// # Errors
/// If xtask's own path is unknown.
pub fn enable(build: &mut Command) -> Result<()> {
    let wrapper = std::env::current_exe().context("xtask does not know where it lies")?;
    build
        .arg("-Zbuild-std=std,panic_abort")
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTC_WRAPPER", wrapper)
        .env(WRAPPER, "1")
        // Split at this character alone, so that a flag may hold blanks and quotes.
        .env("CARGO_ENCODED_RUSTFLAGS", FLAGS.join("\u{1f}"));
    Ok(())
}

/// Where a script has this name stands what [`least_pages`] writes.
pub const LEAST_PAGES: &str = "LEAST_PAGES";

/// A line of JavaScript: the pages of 64 KiB that the memory which this module imports must have at least, or null if it
/// imports none.
///
/// # Errors
/// If it is no module.
pub fn least_pages(module: &[u8]) -> Result<String> {
    let mut pages = "null".to_owned();
    for payload in Parser::new(0).parse_all(module) {
        let Payload::ImportSection(section) = payload? else {
            continue;
        };
        for import in section.into_imports() {
            if let TypeRef::Memory(memory) = import?.ty {
                pages = memory.initial.to_string();
            }
        }
    }
    Ok(format!("const {LEAST_PAGES} = {pages};\n"))
}

/// Whether cargo called this program in rustc's place.
#[must_use]
pub fn is_wrapper() -> bool {
    std::env::var_os(WRAPPER).is_some()
}

/// Calls the compiler that the first argument names, with the others and what some crates need besides.
///
/// # Errors
/// If it cannot be started.
pub fn rustc() -> Result<()> {
    let mut args = std::env::args_os().skip(1);
    let program = args.next().context("no compiler is named")?;
    let args: Vec<OsString> = args.collect();
    let mut rustc = Command::new(&program);
    rustc.args(&args).args(extra(&args)).env_remove(WRAPPER);
    let status = rustc
        .status()
        .with_context(|| format!("cannot start {}", Path::new(&program).display()))?;
    std::process::exit(status.code().unwrap_or(1));
}

/// What the crates of wgpu are compiled with besides: without threads, so that their objects may be sent.
fn extra(args: &[OsString]) -> &'static [&'static str] {
    let after = |name: &str| {
        let at = args.iter().position(|arg| arg == name)?;
        args.get(at + 1)?.to_str()
    };
    let is_wgpu = after("--crate-name").is_some_and(|name| name.starts_with("wgpu"));
    if is_wgpu && after("--target") == Some(WASM) {
        &["-Ctarget-feature=-atomics", "--cfg=send_sync"]
    } else {
        &[]
    }
}

/// Makes sure that the source of the standard library is there.
///
/// # Errors
/// If it is missing and there is no rustup to fetch it.
pub fn ensure_source() -> Result<()> {
    let what = "the source of Rust's standard library";
    let place = "lib/rustlib/src/rust/library/std";
    ensure_installed(what, place, ["component", "add", "rust-src"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use wasm_encoder::{EntityType, ImportSection, MemoryType, Module};

    #[test]
    fn the_worker_is_told_how_much_memory_the_module_begins_with() {
        let memory = MemoryType {
            minimum: 45,
            maximum: Some(65536),
            memory64: false,
            shared: true,
            page_size_log2: None,
        };
        let mut imports = ImportSection::new();
        imports.import("wbg", "memory", EntityType::Memory(memory));
        let mut module = Module::new();
        module.section(&imports);
        let with = least_pages(&module.finish()).unwrap();
        assert_eq!(with, "const LEAST_PAGES = 45;\n");
        let without = least_pages(&Module::new().finish()).unwrap();
        assert_eq!(without, "const LEAST_PAGES = null;\n");
        assert!(least_pages(b"none").is_err());
    }

    #[test]
    fn only_wgpu_for_the_browser_is_told_otherwise() {
        let of = |line: &str| {
            let args: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            extra(&args).len()
        };
        assert_eq!(
            of("--crate-name wgpu_types --target wasm32-unknown-unknown"),
            2
        );
        assert_eq!(of("--crate-name wgpu_types"), 0);
        assert_eq!(
            of("--crate-name burn_wgpu --target wasm32-unknown-unknown"),
            0
        );
        assert_eq!(of("-vV"), 0);
    }
}
