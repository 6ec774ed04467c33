//! One Chromium with a window for each contestant, so that they share the browser, its GPU process and
//! the adapter. Only the one whose turn it is does anything.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail, ensure};
use fantoccini::Client;
use fantoccini::wd::{TimeoutConfiguration, WindowHandle};
use serde_json::{Value, json};

use super::super::WORKER;
use super::{Arena, Kind, Peer};
use crate::driver::Browser;

/// Longest wait for one answer. A software adapter takes minutes for a batch.
const PATIENCE: Duration = Duration::from_secs(3600);

/// Longest wait for a contestant to be loaded.
const LOADING: Duration = Duration::from_secs(300);

/// The contestants, ready.
pub struct Stage {
    browser: Browser,
    windows: BTreeMap<Peer, WindowHandle>,
}

impl Stage {
    /// A fresh profile, with nobody in it.
    pub async fn empty(arena: &Arena) -> Result<Self> {
        let browser = arena.driver.open(&arena.host.proxy).await?;
        let stage = Self {
            browser,
            windows: BTreeMap::new(),
        };
        stage.limit(PATIENCE).await?;
        Ok(stage)
    }

    /// Longest wait for one answer from now on.
    pub async fn limit(&self, limit: Duration) -> Result<()> {
        let limits = TimeoutConfiguration::new(Some(limit), Some(PATIENCE), None);
        Ok(self.client().update_timeouts(limits).await?)
    }

    /// The WebDriver session.
    pub fn client(&self) -> &Client {
        &self.browser.client
    }

    /// Closes the browser.
    pub async fn close(self) -> Result<()> {
        self.browser.close().await
    }

    /// Lets a contestant in, and waits until it is ready.
    pub async fn admit(&mut self, arena: &Arena, peer: Peer) -> Result<()> {
        match peer.kind() {
            Kind::Worker { device, query } => {
                // Any document of the host will do, so that the worker's address is of the same origin.
                self.window(peer, &format!("{}boot.js", arena.host.url))
                    .await?;
                let started = self
                    .client()
                    .execute_async(WORKER, vec![json!(device), json!(query)]);
                let started = started.await?;
                ensure!(started["error"].is_null(), "{}", text(&started["error"]));
                // A figure of the CPU path under the other name would be believed.
                let (backend, expected) = (&started["backend"], backend(device));
                ensure!(backend == expected, "runs on {backend}, not on {expected}");
                Ok(())
            }
            Kind::Page { address } => {
                self.page(peer, &format!("{}{address}", arena.site.url))
                    .await
            }
        }
    }

    /// Lets a page in that says in `globalThis.ready` when it is, or why not.
    pub async fn page(&mut self, peer: Peer, url: &str) -> Result<()> {
        self.window(peer, url).await?;
        let start = Instant::now();
        loop {
            let said = self.client().execute("return globalThis.ready", vec![]);
            match said.await? {
                Value::Null => {}
                Value::String(said) if said == "ok" => return Ok(()),
                other => bail!("{}", text(&other)),
            }
            ensure!(
                start.elapsed() < LOADING,
                "not loaded after {} s",
                LOADING.as_secs()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// A window of its own rather than a tab: pages in the background are slowed down.
    async fn window(&mut self, peer: Peer, url: &str) -> Result<()> {
        let client = self.client();
        let handle = if self.windows.is_empty() {
            client.window().await?
        } else {
            client.new_window(false).await?.handle
        };
        client.switch_to_window(handle.clone()).await?;
        client.goto(url).await?;
        self.windows.insert(peer, handle);
        Ok(())
    }

    /// Puts a contestant's window in front.
    async fn turn(&self, peer: Peer) -> Result<&Client> {
        let handle = self.windows.get(&peer).context("was not let in")?;
        self.client().switch_to_window(handle.clone()).await?;
        Ok(self.client())
    }

    /// Our worker's answer to a command.
    pub async fn command(&self, peer: Peer, command: Value) -> Result<Value> {
        let client = self.turn(peer).await?;
        let script = "window.bench(arguments[0]).then(arguments[1])";
        answer(client, script, vec![command]).await
    }

    /// A page's answer, of the function of that name that it offers.
    pub async fn call(&self, peer: Peer, function: &str, args: Value) -> Result<Value> {
        const SCRIPT: &str = "const [name, args, done] = arguments; \
            globalThis.peer[name](...args).then((value) => done({ value }), (e) => done({ error: String(e) }))";
        let client = self.turn(peer).await?;
        let args = vec![json!(function), args];
        let mut answer = answer(client, SCRIPT, args).await?;
        ensure!(answer["error"].is_null(), "{}", text(&answer["error"]));
        Ok(answer["value"].take())
    }
}

/// What the worker and the page's address call a device that was asked for.
pub fn backend(device: &str) -> &str {
    if device == "gpu" { "webgpu" } else { device }
}

/// What a script calls back with.
async fn answer(client: &Client, script: &str, args: Vec<Value>) -> Result<Value> {
    let start = Instant::now();
    client.execute_async(script, args).await.map_err(|error| {
        if error.is_script_timeout() {
            anyhow!("no answer within {} s", start.elapsed().as_secs())
        } else {
            error.into()
        }
    })
}

/// The numbers in an answer.
pub fn numbers(answer: &Value) -> Result<Vec<f64>> {
    let list = answer.as_array();
    let list = list.with_context(|| format!("answered {answer}, not numbers"))?;
    // A NaN goes through JSON as null, and must not vanish on the way.
    Ok(list
        .iter()
        .map(|v| v.as_f64().unwrap_or(f64::NAN))
        .collect())
}

/// A text without its quotes, shortened to what fits a report; anything else as JSON.
pub fn text(value: &Value) -> String {
    let whole = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    whole.chars().take(300).collect()
}

/// Chromium's version, and the adapter that a page is given.
pub async fn look_round(arena: &Arena) -> Result<(String, String)> {
    const ADAPTER: &str = "const done = arguments[0]; \
        navigator.gpu ? navigator.gpu.requestAdapter({ powerPreference: 'high-performance' }).then((a) => \
        done(a && [a.info.vendor, a.info.architecture, a.info.device, a.info.description].filter(Boolean).join(' ')), \
        (e) => done(String(e))) : done(null)";
    let browser = arena.driver.open(&arena.host.proxy).await?;
    let client = &browser.client;
    client.goto(&format!("{}ort.js", arena.site.url)).await?;
    let adapter = client.execute_async(ADAPTER, vec![]).await?;
    let adapter = adapter.as_str().unwrap_or("none").to_owned();
    let version = client.capabilities().and_then(|c| c.get("browserVersion"));
    let version = version.and_then(Value::as_str).unwrap_or("unknown");
    let version = version.to_owned();
    browser.close().await?;
    Ok((version, adapter))
}
