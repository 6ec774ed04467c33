//! Every kernel through Tint, Chrome's compiler, which refuses what naga passes. Its front end, with all that it can refuse,
//! reads 120 modules in half a second; a pipeline also takes SwiftShader's compiler, two minutes for all of them. So of
//! each kernel only as many get a pipeline as have every value of every tunable among them.

use std::collections::BTreeSet;
use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::project::{root, tests};

use super::Scene;

/// Writes the modules, every form in which they are launched and every value of their tunables, to `target/shaders`.
const WRITE: &str = "--test shaders -- --ignored --exact written";

/// As few, or some of them have not been written.
const LEAST: usize = 20;

/// Opens a GPU with WebGPU's default limits and keeps it.
const OPEN: &str = r#"
const done = arguments[0];
(async () => {
  const adapter = await navigator.gpu?.requestAdapter();
  if (!adapter) throw new Error("there is no adapter");
  window.device = await adapter.requestDevice();
  return adapter.info.description || adapter.info.vendor;
})().then((said) => done({ said }), (error) => done({ error: String(error) }));
"#;

/// Everything that the compiler says of each module, warnings too; and of its pipeline where one is asked for.
const COMPILE: &str = r#"
const [modules, done] = arguments;
const compile = async ([code, pipeline]) => {
  const device = window.device;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const scope = device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  const said = messages.map((m) => `${m.type} in line ${m.lineNum}: ${m.message}`);
  const error = await scope;
  if (error && said.length === 0) said.push(error.message);
  if (!pipeline) return said;
  const compute = { module, entryPoint: "main" };
  await device.createComputePipelineAsync({ layout: "auto", compute }).catch((error) => said.push(error.message));
  return said;
};
Promise.all(modules.map(compile)).then((said) => done({ said }), (error) => done({ error: String(error) }));
"#;

/// Modules compiled at the same time.
const TOGETHER: usize = 8;

/// A barrier that half of a workgroup reaches: what naga passes and Tint has to refuse, or it is not Tint.
const NOT_UNIFORM: &str = "
@group(0) @binding(0) var<storage, read_write> y: array<u32>;
var<workgroup> sum: u32;
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_index) lane: u32) {
    if lane < 32u { workgroupBarrier(); }
    y[lane] = sum;
}
";

pub async fn shaders(scene: &Scene<'_>) -> Result<()> {
    tests(WRITE)?;
    let folder = root().join("target/shaders");
    let mut modules = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path.file_stem().context("a file without a name")?;
        let name = name.to_string_lossy().into_owned();
        modules.push((name, fs::read_to_string(&path)?));
    }
    modules.sort();
    ensure!(
        modules.len() >= LEAST,
        "only {} modules in {}",
        modules.len(),
        folder.display()
    );
    // With an icon, or Chromium asks for one.
    let html = "<!doctype html><title>Shaders</title><link rel=icon href=data:,>";
    let site = scene.files.path();
    fs::write(site.join("index.html"), html)?;
    scene
        .on_site(site, async |page| {
            let opened = page.client().execute_async(OPEN, vec![]).await?;
            let adapter = opened["said"].as_str();
            let adapter = adapter.with_context(|| format!("no GPU in Chromium: {opened}"))?;
            let compile = async |modules: &[(&str, bool)]| -> Result<Vec<Value>> {
                let found = page.client().execute_async(COMPILE, vec![json!(modules)]);
                let found = found.await?;
                let said = found["said"].as_array().cloned();
                said.with_context(|| found.to_string())
            };
            let refused = compile(&[(NOT_UNIFORM, false)]).await?;
            ensure!(
                refused.iter().all(|said| *said != json!([])),
                "Chromium's compiler passes a barrier in non-uniform control flow"
            );
            let names: Vec<&str> = modules.iter().map(|(name, _)| name.as_str()).collect();
            let pipelines = cover(&names);
            let (asked, others): (Vec<_>, Vec<_>) = (modules.iter())
                .map(|(name, code)| (name, (code.as_str(), pipelines.contains(name.as_str()))))
                .partition(|(_, (_, pipeline))| *pipeline);
            let mut failures = Vec::new();
            for some in asked.chunks(TOGETHER).chain(others.chunks(TOGETHER)) {
                let codes: Vec<_> = some.iter().map(|(_, module)| *module).collect();
                for ((name, _), said) in some.iter().zip(compile(&codes).await?) {
                    if said != json!([]) {
                        failures.push(format!("{name}: {said}"));
                    }
                }
            }
            ensure!(failures.is_empty(), "Tint says:\n{}", failures.join("\n"));
            println!(
                "  {} modules compiled by Tint, {} of them to pipelines for {adapter}",
                modules.len(),
                asked.len()
            );
            Ok(())
        })
        .await
}

/// What is set in a module, by its name: `conv_direct`, or `conv_direct WIDE=true, then FOURS=2u`; and its file.
fn settings(name: &str) -> BTreeSet<(&str, &str)> {
    let (launched, then) = name.split_once(", then ").unwrap_or((name, ""));
    let (file, values) = launched.split_once(' ').unwrap_or((launched, ""));
    let changed = then.split_once('=').map(|(tunable, _)| tunable);
    let kept = values.split(' ').filter(|value| {
        let tunable = value.split_once('=').map(|(tunable, _)| tunable);
        tunable.is_some() && tunable != changed
    });
    let of_file = kept.chain([then]).map(|value| (file, value));
    // The empty value stands for the file itself.
    of_file.chain([(file, "")]).collect()
}

/// Few modules that have among them every file, and of each file every value that a tunable has in any module: always
/// the one next that has the most of what is missing, of equals the first.
fn cover<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    let mut missing: BTreeSet<_> = names.iter().flat_map(|name| settings(name)).collect();
    let mut chosen = BTreeSet::new();
    while !missing.is_empty() {
        let new = |name: &&&str| settings(name).intersection(&missing).count();
        // `max_by_key` takes the last of equals.
        let next = names.iter().rev().max_by_key(new);
        let next = *next.expect("what is missing is of a module");
        missing.retain(|setting| !settings(next).contains(setting));
        chosen.insert(next);
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pipelines_have_every_file_and_every_value() {
        let names = [
            "copy",
            "product A=1u WIDE=false",
            "product A=1u WIDE=true",
            "product A=2u WIDE=true",
            "product A=1u WIDE=false, then DEEP=8u",
            "product A=2u WIDE=true, then WIDE=false",
            "sum A=1u",
        ];
        let chosen: Vec<_> = cover(&names).into_iter().collect();
        let expected = [
            "copy",
            "product A=1u WIDE=false, then DEEP=8u",
            "product A=2u WIDE=true",
            "sum A=1u",
        ];
        assert_eq!(chosen, expected);
        assert_eq!(
            settings("product A=2u WIDE=true, then WIDE=false"),
            settings("product A=2u WIDE=false")
        );
    }
}
