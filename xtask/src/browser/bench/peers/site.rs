//! The peers as `benches/peers/install.mjs` installs them, and a host for them: their pages, their published
//! files and the model, isolated as our own page is, so that all clocks are equally fine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use serde_json::{Map, Value};
use tower_http::services::ServeDir;
use xtask::project::{root, run, step, target_dir, which};
use xtask::serve;

/// npm packages whose versions belong to the figures.
const PACKAGES: [&str; 4] = [
    "onnxruntime-web",
    "@tensorflow/tfjs-core",
    "@tensorflow/tfjs-backend-webgpu",
    "@tensorflow/tfjs-backend-wasm",
];

/// The folder the peers are installed in.
pub struct Installed(PathBuf);

impl Installed {
    /// Has them installed, from npm; what is there already stays.
    pub fn find(dir: Option<&Path>) -> Result<Self> {
        let dir = match dir {
            Some(dir) => std::env::current_dir()?.join(dir),
            None => target_dir().join("peers"),
        };
        for program in ["node", "npm"] {
            ensure!(
                which(program).is_some(),
                "{program} is missing: the peers come from npm. Install Node.js 20 or newer with npm"
            );
        }
        let script = root().join("benches/peers/install.mjs");
        step("install peers", || {
            run(Command::new("node").arg(script).arg(&dir))
        })?;
        Ok(Self(dir))
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
}

/// A running host of the peers' pages.
pub struct Site {
    /// Its address, with a slash at its end.
    pub url: String,
}

impl Site {
    /// Serves them.
    pub async fn start(installed: &Installed) -> Result<Self> {
        // These paths stand in the peers' pages.
        let app = Router::new()
            .nest_service(
                "/ort",
                ServeDir::new(installed.module("onnxruntime-web/dist")),
            )
            .nest_service(
                "/tfjs-wasm",
                ServeDir::new(installed.module("@tensorflow/tfjs-backend-wasm/dist")),
            )
            .nest_service("/data", ServeDir::new(installed.0.join("data")))
            .fallback_service(ServeDir::new(installed.0.join("site")))
            .layer(map_response(isolate));
        let listener = serve::listen(0).await?;
        let url = format!("http://localhost:{}/", listener.local_addr()?.port());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Self { url })
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
