//! Every kernel through Tint, Chrome's compiler, which refuses what naga passes: Chromium's WebGPU makes a pipeline of
//! each.

use std::fs;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use xtask::project::{cargo, root, run};

use super::Scene;

/// Writes the modules, every form in which they are launched and every value of their tunables, to `target/shaders`.
const WRITE: &str =
    "test --locked --release --package retune --test shaders -- --ignored --exact written";

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

/// Everything that the compiler says of each module, warnings too.
const COMPILE: &str = r#"
const [codes, done] = arguments;
const compile = async (code) => {
  const device = window.device;
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code });
  const scope = device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  const said = messages.map((m) => `${m.type} in line ${m.lineNum}: ${m.message}`);
  const error = await scope;
  if (error && said.length === 0) said.push(error.message);
  const compute = { module, entryPoint: "main" };
  await device.createComputePipelineAsync({ layout: "auto", compute }).catch((error) => said.push(error.message));
  return said;
};
Promise.all(codes.map(compile)).then((said) => done({ said }), (error) => done({ error: String(error) }));
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
    run(&mut cargo(WRITE.split_whitespace()))?;
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
            let compile = async |codes: &[&str]| -> Result<Vec<Value>> {
                let found = page.client().execute_async(COMPILE, vec![json!(codes)]);
                let found = found.await?;
                let said = found["said"].as_array().cloned();
                said.with_context(|| found.to_string())
            };
            let refused = compile(&[NOT_UNIFORM]).await?;
            ensure!(
                refused.iter().all(|said| *said != json!([])),
                "Chromium's compiler passes a barrier in non-uniform control flow"
            );
            let mut failures = Vec::new();
            for some in modules.chunks(TOGETHER) {
                let codes: Vec<_> = some.iter().map(|(_, code)| code.as_str()).collect();
                for ((name, _), said) in some.iter().zip(compile(&codes).await?) {
                    if said != json!([]) {
                        failures.push(format!("{name}: {said}"));
                    }
                }
            }
            ensure!(failures.is_empty(), "Tint says:\n{}", failures.join("\n"));
            println!(
                "  {} modules compiled by Tint, for {adapter}",
                modules.len()
            );
            Ok(())
        })
        .await
}
