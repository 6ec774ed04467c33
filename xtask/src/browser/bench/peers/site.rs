//! The peers as ../shared/peers installs them, and a host for them: their pages, their published files
//! and the model, isolated as our own page is, so that all clocks are equally fine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use serde_json::{Map, Value};
use tempfile::TempDir;
use tower_http::services::ServeDir;
use xtask::project::{root, run, step};
use xtask::serve;

/// npm packages whose versions belong to the figures.
const PACKAGES: [&str; 4] = [
    "onnxruntime-web",
    "@tensorflow/tfjs-core",
    "@tensorflow/tfjs-backend-webgpu",
    "@tensorflow/tfjs-backend-wasm",
];

/// Modules of Node that tfjs names and never calls in a browser.
const NODES_OWN: [&str; 8] = [
    "crypto",
    "fs",
    "os",
    "path",
    "perf_hooks",
    "string_decoder",
    "util",
    "worker_threads",
];

/// The folder the peers are installed in.
pub struct Installed(PathBuf);

impl Installed {
    /// Finds them, or has them installed: from npm and `PyPI`, by their own script.
    pub fn find(dir: Option<&Path>) -> Result<Self> {
        let dir = match (dir, std::env::var_os("PEERS_DIR"), std::env::home_dir()) {
            (Some(dir), ..) => std::env::current_dir()?.join(dir),
            (None, Some(dir), _) => dir.into(),
            (None, None, Some(home)) => home.join(".cache/retune-peers"),
            (None, None, None) => anyhow::bail!("there is no home folder; name one with --peers"),
        };
        let installed = Self(dir);
        // The model is made last, the pages only by a run; either may be missing after an interruption.
        let needed = ["data/meta.json", "site/ort.html", "site/tfjs.html"];
        if needed.iter().any(|file| !installed.0.join(file).exists()) {
            let script = root().join("../shared/peers/run.sh");
            ensure!(
                script.exists(),
                "the peers are not installed in {}, and there is no {} to install them",
                installed.0.display(),
                script.display()
            );
            step("install peers", || {
                // Of its tables the one of sizes is the quickest, and asking for one builds the pages.
                let mut command = Command::new("bash");
                run(command.arg(&script).arg("f").env("PEERS_DIR", &installed.0))
            })?;
        }
        Ok(installed)
    }

    fn module(&self, path: &str) -> PathBuf {
        self.0.join("node/node_modules").join(path)
    }

    fn json(path: &Path) -> Result<Value> {
        let text = fs::read_to_string(path);
        let text = text.with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
    }

    /// Version by package.
    pub fn versions(&self) -> Result<Map<String, Value>> {
        let version = |package: &str| {
            let manifest = Self::json(&self.module(package).join("package.json"))?;
            Ok((package.to_owned(), manifest["version"].clone()))
        };
        PACKAGES.into_iter().map(version).collect()
    }

    /// A line on what weights and inputs the peers were given.
    pub fn model(&self) -> Result<String> {
        let meta = Self::json(&self.0.join("data/meta.json"))?;
        let said = |name: &str| meta[name].as_str().unwrap_or("not said").to_owned();
        let (weights, inputs) = (said("weights"), said("inputs"));
        Ok(format!(
            "the peers' weights: {weights}; their inputs: {inputs}"
        ))
    }

    /// A file of floats.
    pub fn floats(&self, name: &str) -> Result<Vec<f32>> {
        let path = self.0.join("data").join(name);
        let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let floats = bytes.chunks_exact(4);
        Ok(floats
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect())
    }

    /// A folder with `own.html` and the script it runs: `source` with the packages it imports.
    pub fn bundle(&self, source: &str) -> Result<TempDir> {
        let dir = tempfile::Builder::new().prefix("retune-page-").tempdir()?;
        let [entry, empty, out] = ["entry.js", "empty.cjs", "own.js"].map(|f| dir.path().join(f));
        let page = "<!doctype html><meta charset=utf-8><script type=module src=own.js></script>";
        for (file, text) in [
            (&entry, source),
            (&empty, ""),
            (&dir.path().join("own.html"), page),
        ] {
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        let esbuild = self.module(".bin/esbuild");
        let mut command = Command::new(&esbuild);
        command
            .arg(&entry)
            .args(["--bundle", "--minify", "--format=esm", "--target=es2022"])
            .args(["--log-level=error", "--define:global=globalThis"])
            .args(NODES_OWN.map(|name| format!("--alias:{name}={}", empty.display())))
            .arg(format!("--outfile={}", out.display()))
            .env("NODE_PATH", self.module(""));
        run(&mut command)?;
        Ok(dir)
    }
}

/// A running host of the peers' pages.
pub struct Site {
    /// Its address, with a slash at its end.
    pub url: String,
    _bundle: Option<TempDir>,
}

impl Site {
    /// Serves them, and below `own/` the bundle.
    pub async fn start(installed: &Installed, bundle: Option<TempDir>) -> Result<Self> {
        // These paths stand in the peers' pages.
        let mut app = Router::new()
            .nest_service(
                "/ort",
                ServeDir::new(installed.module("onnxruntime-web/dist")),
            )
            .nest_service(
                "/tfjs-wasm",
                ServeDir::new(installed.module("@tensorflow/tfjs-backend-wasm/dist")),
            )
            .nest_service("/data", ServeDir::new(installed.0.join("data")))
            .fallback_service(ServeDir::new(installed.0.join("site")));
        if let Some(dir) = &bundle {
            app = app.nest_service("/own", ServeDir::new(dir.path()));
        }
        let app = app.layer(map_response(isolate));
        let listener = serve::listen(0).await?;
        let url = format!("http://localhost:{}/", listener.local_addr()?.port());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self {
            url,
            _bundle: bundle,
        })
    }
}

/// What lets a page have threads and a clock of microseconds; and nothing is kept from load to load.
async fn isolate(mut response: Response) -> Response {
    const HEADERS: [(&str, &str); 3] = [
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
