//! chromedriver or geckodriver and the browsers it opens: each in a fresh profile, all gone when the tests are, however
//! they end.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use axum::http::Method;
use fantoccini::wd::{TimeoutConfiguration, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::Url;

use xtask::setup;

/// Chromium as the tests want it: no window, WebGPU in software, nothing running in the background.
const FLAGS: [&str; 16] = [
    "--headless=new",
    "--no-sandbox", // containers run the tests as root, where Chromium's sandbox cannot start
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan,WebGPU",
    "--use-webgpu-adapter=swiftshader",
    "--use-vulkan=swiftshader",
    "--ignore-gpu-blocklist",
    // With these two a GPU process that was killed comes back; without them there is no GPU from then on.
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    // The bench has a window for each contestant; none may be slowed for not being in front.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
];

/// A running chromedriver; it ends with this value.
pub struct Driver {
    address: String,
    _process: Child,
}

impl Driver {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// If it is not installed or does not come up.
    pub async fn start() -> Result<Self> {
        let address = |line: &str| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(format!("http://localhost:{}", port.trim_end_matches('.')))
        };
        Self::started(Path::new("chromedriver"), address).await
    }

    /// Starts Firefox's.
    ///
    /// # Errors
    /// If it is not installed or does not come up.
    pub async fn firefox() -> Result<Self> {
        let program = setup::geckodriver().context("geckodriver is not installed")?;
        let address = |line: &str| {
            let (_, address) = line.split_once("Listening on ")?;
            Some(format!("http://{}", address.trim()))
        };
        Self::started(&program, address).await
    }

    /// Starts a driver on a free port; `address` finds in a line of its output where it listens.
    async fn started(program: &Path, address: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let name = program.display();
        let mut process = Command::new(program)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        let output = process.stdout.take();
        let output = output.with_context(|| format!("{name} has no output"))?;
        let mut lines = BufReader::new(output).lines();
        while let Some(line) = lines.next_line().await? {
            if let Some(address) = address(&line) {
                // Read on, or the pipe fills up and the driver stands still.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return Ok(Self {
                    address,
                    _process: process,
                });
            }
        }
        bail!("{name} ended before it was ready")
    }

    /// Opens a Firefox in a fresh profile, with relaxed SIMD or as the versions before it came. `proxy` as for
    /// [`Self::open`].
    ///
    /// # Errors
    /// If Firefox does not start.
    pub async fn open_firefox(&self, proxy: &str, relaxed_simd: bool) -> Result<Browser> {
        let (host, port) = proxy.split_once(':').context("a proxy has a port")?;
        let capabilities = json!({
            "moz:firefoxOptions": {
                "binary": setup::firefox().context("Firefox is not installed")?,
                "args": ["-headless"],
                "prefs": {
                    "javascript.options.wasm_relaxed_simd": relaxed_simd,
                    "network.proxy.type": 1,
                    "network.proxy.http": host,
                    "network.proxy.http_port": port.parse::<u16>()?,
                    "network.proxy.ssl": host,
                    "network.proxy.ssl_port": port.parse::<u16>()?,
                },
            },
        });
        self.connect(capabilities, home()?, "moz:processID").await
    }

    /// Opens a browser in a fresh profile. `proxy` (host:port) gets whatever is not for localhost.
    ///
    /// # Errors
    /// If Chromium does not start.
    pub async fn open(&self, proxy: &str) -> Result<Browser> {
        let home = home()?;
        let downloads = home.path().join("downloads");
        std::fs::create_dir(&downloads)?;
        let mut args: Vec<String> = FLAGS.iter().map(ToString::to_string).collect();
        args.push(format!(
            "--user-data-dir={}",
            home.path().join("profile").display()
        ));
        args.push(format!("--proxy-server={proxy}"));
        let capabilities = json!({
            "goog:chromeOptions": {
                "binary": setup::chromium().context("Chromium is not installed")?,
                "args": args,
                "prefs": {
                    "download.default_directory": &downloads,
                    "download.prompt_for_download": false,
                },
            },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        self.connect(capabilities, home, "goog:processID").await
    }

    /// Opens the browser that these capabilities describe; `process` is the one in which it says its process.
    async fn connect(&self, capabilities: Value, home: TempDir, process: &str) -> Result<Browser> {
        let Value::Object(capabilities) = capabilities else {
            unreachable!("both literals above are objects")
        };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&self.address)
            .await
            .context("cannot open the browser")?;
        let limit = Some(Duration::from_secs(600));
        client
            .update_timeouts(TimeoutConfiguration::new(limit, limit, None))
            .await?;
        let process = client
            .capabilities()
            .and_then(|c| c.get(process))
            .and_then(Value::as_u64);
        Ok(Browser {
            client,
            downloads: home.path().join("downloads"),
            process,
            home,
        })
    }
}

/// The folder of a browser's profile and downloads.
fn home() -> Result<TempDir> {
    let named = tempfile::Builder::new()
        .prefix("retune-browser-")
        .tempdir()?;
    Ok(named)
}

/// An open browser. Dropped without [`Browser::close`] (a failure, ctrl-c), its process is ended.
pub struct Browser {
    /// The WebDriver session.
    pub client: Client,
    /// Where it saves what the page hands out.
    pub downloads: PathBuf,
    process: Option<u64>,
    home: TempDir,
}

impl Browser {
    /// The folder of its profile.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Whether it is Firefox, and so without the commands of chromedriver's own.
    pub fn is_firefox(&self) -> bool {
        let name = self
            .client
            .capabilities()
            .and_then(|c| c.get("browserName"));
        name.and_then(Value::as_str) == Some("firefox")
    }

    /// Closes it in the orderly way.
    ///
    /// # Errors
    /// If its driver no longer answers.
    pub async fn close(mut self) -> Result<()> {
        self.client.clone().close().await?;
        self.process = None;
        Ok(())
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            // Nothing to do about a failure: then it is gone already.
            let _ = std::process::Command::new("kill")
                .arg(process.to_string())
                .status();
        }
    }
}

/// A command of chromedriver's own, outside the WebDriver standard.
#[derive(Debug)]
pub struct Vendor {
    /// Path below the session.
    pub path: &'static str,
    /// JSON of the request.
    pub body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!(
            "session/{}/{}",
            session.unwrap_or_default(),
            self.path
        ))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.to_string()))
    }
}
