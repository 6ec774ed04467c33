//! The page as a test sees it: elements by their `data-testid`, files put into inputs, and waiting that
//! says what it waited for.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use serde_json::{Map, Value, json};

use crate::driver::{Browser, Vendor};

/// How often the page is looked at while waiting.
const POLL: Duration = Duration::from_millis(100);

/// A page in a browser.
pub struct Page {
    browser: Browser,
    url: String,
}

/// The attributes of an element, and its text under `text`.
#[derive(Debug, Clone)]
pub struct Seen(Map<String, Value>);

impl Seen {
    /// An attribute, or `text`; empty if it is not there.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An attribute that is a number.
    ///
    /// # Errors
    /// If it is none.
    pub fn number(&self, name: &str) -> Result<f64> {
        let text = self.get(name);
        text.parse()
            .with_context(|| format!("{name} is \"{text}\", not a number"))
    }

    /// Whether the attribute is there, whatever its value.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }
}

impl Page {
    /// The page at `url` plus `query`, not yet waited for.
    ///
    /// # Errors
    /// If the browser cannot load it.
    pub async fn open(browser: Browser, url: &str, query: &str) -> Result<Self> {
        let url = format!("{url}{query}");
        browser.client.goto(&url).await?;
        Ok(Self { browser, url })
    }

    /// Loads the address again.
    ///
    /// # Errors
    /// If the browser cannot.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.client().goto(&self.url).await?)
    }

    /// The WebDriver session.
    pub fn client(&self) -> &Client {
        &self.browser.client
    }

    /// Closes the browser.
    ///
    /// # Errors
    /// If chromedriver no longer answers.
    pub async fn close(self) -> Result<()> {
        self.browser.close().await
    }

    /// All elements with this test id, as they are now.
    ///
    /// # Errors
    /// If the browser no longer answers.
    pub async fn all(&self, id: &str) -> Result<Vec<Seen>> {
        let script = "return [...document.querySelectorAll(`[data-testid=\"${arguments[0]}\"]`)].map(e => \
                      Object.fromEntries([['text', e.innerText], \
                      ...e.getAttributeNames().map(n => [n, e.getAttribute(n)])]))";
        let found = self.client().execute(script, vec![json!(id)]).await?;
        let Value::Array(found) = found else {
            bail!("looking for {id} gave {found}");
        };
        Ok(found
            .into_iter()
            .filter_map(|e| match e {
                Value::Object(map) => Some(Seen(map)),
                _ => None,
            })
            .collect())
    }

    /// The first of them, if there is one.
    ///
    /// # Errors
    /// If the browser no longer answers.
    pub async fn first(&self, id: &str) -> Result<Option<Seen>> {
        Ok(self.all(id).await?.into_iter().next())
    }

    /// Looks until `look` finds something.
    ///
    /// # Errors
    /// After `seconds`, naming `what`.
    pub async fn until<T>(
        &self,
        what: &str,
        seconds: u64,
        look: impl AsyncFn() -> Result<Option<T>>,
    ) -> Result<T> {
        let start = Instant::now();
        loop {
            if let Some(found) = look().await? {
                return Ok(found);
            }
            ensure!(
                start.elapsed().as_secs() < seconds,
                "waited {seconds} s for {what}"
            );
            tokio::time::sleep(POLL).await;
        }
    }

    /// Waits until there is an element with this test id.
    ///
    /// # Errors
    /// After `seconds`.
    pub async fn appears(&self, id: &str, seconds: u64) -> Result<Seen> {
        self.until(id, seconds, async || self.first(id).await).await
    }

    /// Waits until an attribute of the first such element has this value.
    ///
    /// # Errors
    /// After `seconds`.
    pub async fn becomes(
        &self,
        id: &str,
        attribute: &str,
        value: &str,
        seconds: u64,
    ) -> Result<Seen> {
        let what = format!("{id} with {attribute}=\"{value}\"");
        self.until(&what, seconds, async || {
            Ok(self.first(id).await?.filter(|e| e.get(attribute) == value))
        })
        .await
    }

    /// Waits for the engine's state.
    ///
    /// # Errors
    /// After `seconds`, or at once if the engine failed.
    pub async fn state(&self, state: &str, seconds: u64) -> Result<()> {
        self.until(&format!("state {state}"), seconds, async || {
            let now = self.first("status").await?;
            let now = now.as_ref().map_or("", |s| s.get("data-state"));
            ensure!(now != "failed" || state == "failed", "the engine failed");
            Ok((now == state).then_some(()))
        })
        .await
    }

    async fn element(&self, id: &str) -> Result<Element> {
        let css = format!("[data-testid=\"{id}\"]");
        let found = self.client().find(Locator::Css(&css)).await;
        found.with_context(|| format!("there is no {id}"))
    }

    /// Clicks the first such element, once it can be clicked.
    ///
    /// # Errors
    /// If there is none, or it stays disabled.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.until(&format!("{id} to be enabled"), 20, async || {
            Ok(self.first(id).await?.filter(|e| !e.has("disabled")))
        })
        .await?;
        let clicked = self.element(id).await?.click().await;
        clicked.with_context(|| format!("cannot click {id}"))
    }

    /// Puts files into a file input.
    ///
    /// # Errors
    /// If there is no such input.
    pub async fn put(&self, id: &str, files: &[PathBuf]) -> Result<()> {
        let paths: Vec<_> = files.iter().map(|f| f.display().to_string()).collect();
        let sent = self.element(id).await?.send_keys(&paths.join("\n")).await;
        sent.with_context(|| format!("cannot put files into {id}"))
    }

    /// Drops files and folders on the page, as from the desktop.
    ///
    /// # Errors
    /// If the browser refuses.
    pub async fn drop(&self, files: &[PathBuf]) -> Result<()> {
        let files: Vec<_> = files.iter().map(|f| f.display().to_string()).collect();
        for kind in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
            let event = json!({ "type": kind, "x": 400, "y": 300, "data": data });
            self.devtools("Input.dispatchDragEvent", event).await?;
        }
        Ok(())
    }

    /// Replaces the text of an input, as a user would: select all, type.
    ///
    /// # Errors
    /// If there is no such input.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        const CONTROL: char = '\u{E009}';
        const RELEASE: char = '\u{E000}';
        let element = self.element(id).await?;
        let keys = if self.browser.is_firefox() {
            // By WebDriver's command for it: a test that sent Ctrl+A there came to no end.
            element.clear().await?;
            text.to_owned()
        } else {
            format!("{CONTROL}a{RELEASE}{text}")
        };
        let sent = element.send_keys(&keys).await;
        sent.with_context(|| format!("cannot type into {id}"))
    }

    /// Presses a key on the first such element, which takes the focus.
    ///
    /// # Errors
    /// If there is none that can have it.
    pub async fn press(&self, id: &str, key: char) -> Result<()> {
        let sent = self.element(id).await?.send_keys(&key.to_string()).await;
        sent.with_context(|| format!("cannot press a key on {id}"))
    }

    /// Chooses an option of a select by its value.
    ///
    /// # Errors
    /// If there is no such select or option.
    pub async fn choose(&self, id: &str, value: &str) -> Result<()> {
        let chosen = self.element(id).await?.select_by_value(value).await;
        chosen.with_context(|| format!("cannot choose {value} in {id}"))
    }

    /// Clicks an export button and waits for the file to be there whole.
    ///
    /// # Errors
    /// If nothing is saved.
    pub async fn download(&self, id: &str) -> Result<PathBuf> {
        let dir = &self.browser.downloads;
        let before = names(dir)?;
        self.click(id).await?;
        self.until(&format!("the file of {id}"), 60, async || {
            let mut new = names(dir)?.into_iter().filter(|p| !before.contains(p));
            Ok(new.find(|p| !is_unfinished(p)))
        })
        .await
    }

    /// What the browser logged since the last call: level and text; nothing from Firefox, whose driver does not hand it
    /// out.
    ///
    /// # Errors
    /// If chromedriver no longer answers.
    pub async fn log(&self) -> Result<Vec<(String, String)>> {
        if self.browser.is_firefox() {
            return Ok(Vec::new());
        }
        let command = Vendor {
            path: "se/log",
            body: json!({ "type": "browser" }),
        };
        let entries = self.client().issue_cmd(command).await?;
        let text = |e: &Value, name: &str| e[name].as_str().unwrap_or_default().to_owned();
        let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(entries
            .iter()
            .map(|e| (text(e, "level"), text(e, "message")))
            .collect())
    }

    /// A command of Chrome's DevTools protocol.
    async fn devtools(&self, command: &str, params: Value) -> Result<()> {
        let body = json!({ "cmd": command, "params": params });
        self.client()
            .issue_cmd(Vendor {
                path: "goog/cdp/execute",
                body,
            })
            .await?;
        Ok(())
    }

    /// The whole page as PNG, `width` CSS pixels wide, in the given colour scheme.
    ///
    /// # Errors
    /// If it cannot be drawn or saved.
    pub async fn shoot(&self, path: &Path, width: u32, scheme: &str) -> Result<()> {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            json!({ "features": features }),
        )
        .await?;
        let size = |height: i64| json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        let resize = "Emulation.setDeviceMetricsOverride";
        self.devtools(resize, size(800)).await?;
        let height = self
            .client()
            .execute("return document.documentElement.scrollHeight", vec![])
            .await?;
        self.devtools(resize, size(height.as_i64().unwrap_or(800)))
            .await?;
        tokio::time::sleep(Duration::from_millis(300)).await; // transitions
        let png = self.client().screenshot().await?;
        self.devtools("Emulation.clearDeviceMetricsOverride", json!({}))
            .await?;
        fs::write(path, png).with_context(|| format!("cannot write {}", path.display()))
    }

    /// What the page shows as text.
    ///
    /// # Errors
    /// If the browser no longer answers.
    pub async fn text(&self) -> Result<String> {
        let text = self
            .client()
            .execute("return document.body.innerText", vec![])
            .await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }
}

fn names(dir: &Path) -> Result<Vec<PathBuf>> {
    fs::read_dir(dir)?.map(|e| Ok(e?.path())).collect()
}

/// Chromium writes to a hidden file first, then to one ending in `.crdownload`.
fn is_unfinished(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with('.') || name.ends_with(".crdownload")
}
