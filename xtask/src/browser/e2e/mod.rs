//! What a person does with the page, done in Chromium, the most important in Firefox too: each scenario in a fresh
//! browser profile, against a host below a sub-path. Besides its own steps every scenario fails if the page asked another host
//! for anything, asked its own for something that is not there, or left an error in the console.

mod architectures;
mod bundled;
mod classify;
mod course;
mod data;
mod device;
mod firefox;
mod hardware;
mod inputs;
mod offline;
mod onnx;
mod plain;
mod shaders;
mod train;
mod tune;
mod weights;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use tempfile::TempDir;
use xtask::setup;

use crate::driver::{Browser, Driver};
use crate::fixtures;
use crate::host::Host;
use crate::page::Page;
use crate::peer::onnxruntime_web;

/// `cargo xtask e2e`.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The built page.
    #[arg(long, default_value_os_t = crate::default_dist())]
    dist: PathBuf,
    /// Only these scenarios.
    #[arg(long, value_enum)]
    only: Vec<Scenario>,
    /// All but these.
    #[arg(long, value_enum, conflicts_with = "only")]
    except: Vec<Scenario>,
    /// Save pictures of the page here, in light, dark and 360 px wide; failures are always pictured.
    #[arg(long)]
    shots: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scenario {
    /// Every kernel, with every value of its tunables, through Chrome's compiler.
    Shaders,
    /// `?backend=auto`: a software adapter is no GPU.
    Auto,
    /// One thread and two give the same bits.
    Threads,
    /// Sample images, every format, every bad file.
    Classify,
    /// The demo set: train, stop, evaluate, reload, export, import.
    Train,
    /// Zip, folder, a data set that cannot be trained on.
    Data,
    /// A broken link, a question, a table, loose photos, AVIF, a `.pt`.
    Inputs,
    /// A photo among a thousand things; classes of one's own from the general ResNet.
    Bundled,
    /// Checkpoints that must be refused.
    Refuse,
    /// Pretrained weights from a stand-in for the hub, whole and damaged.
    Hub,
    /// CPU path, WebGPU path (in software) and command line give the same probabilities.
    Parity,
    /// What hardware is given, in software: tuned, tested, classified, three steps trained as on the CPU.
    Hardware,
    /// The last stage trained, kept, exported.
    Tune,
    /// Augmentation, an estimate, several seeds, runs side by side.
    Course,
    /// A DenseNet's facts, layers and drawing, by keyboard; compound scaling.
    Architectures,
    /// The model in onnxruntime-web, by the text that comes with the file.
    Onnx,
    /// A host without headers: isolated, a new version that waits for a training, then without any host.
    Offline,
    /// A photo and the demo set in Firefox; the trained model after a reload.
    Firefox,
    /// Without relaxed SIMD, in both browsers: the other engine, and the same probabilities.
    Plain,
    /// A training goes on after its tab was killed.
    Resume,
    /// A training goes on after its GPU was killed.
    Lost,
}

/// What a scenario has at hand.
struct Scene<'a> {
    driver: &'a Driver,
    host: &'a Host,
    /// The built page.
    dist: &'a Path,
    files: TempDir,
    shots: Option<&'a PathBuf>,
}

/// Runs the scenarios and stops at the first that fails.
pub async fn run(options: &Options) -> Result<()> {
    ensure!(
        options.dist.join("index.html").exists(),
        "{} holds no page; run `cargo xtask build` first",
        options.dist.display()
    );
    let host = Host::start(&options.dist, fixtures::imagenet_resnet18()?).await?;
    let driver = Driver::start().await?;
    if let Some(dir) = &options.shots {
        fs::create_dir_all(dir)?;
    }
    let all = Scenario::value_variants().iter().copied();
    let chosen = |s: &Scenario| match options.only.is_empty() {
        true => !options.except.contains(s),
        false => options.only.contains(s),
    };
    let mut scenarios: Vec<_> = all.filter(chosen).collect();
    let mut scripts = None;
    if scenarios.contains(&Scenario::Onnx) {
        match onnxruntime_web() {
            Ok(found) => scripts = Some(found),
            Err(error) if options.only.is_empty() => {
                // Without a network all else can still be tested.
                println!("  onnx: NOT RUN, as its package is not to be had: {error:#}");
                scenarios.retain(|scenario| *scenario != Scenario::Onnx);
            }
            Err(error) => return Err(error),
        }
    }
    if options.only.is_empty() && setup::geckodriver().is_none() {
        println!(
            "  firefox: NOT RUN, as geckodriver is not there (`cargo xtask test --firefox` compiles it)"
        );
        scenarios.retain(|scenario| *scenario != Scenario::Firefox);
    }
    for scenario in &scenarios {
        let start = Instant::now();
        let scene = Scene {
            driver: &driver,
            host: &host,
            dist: &options.dist,
            files: TempDir::new()?,
            shots: options.shots.as_ref(),
        };
        let name = format!("{scenario:?}").to_lowercase();
        let done = match scenario {
            Scenario::Shaders => shaders::shaders(&scene).await,
            Scenario::Auto => device::auto(&scene).await,
            Scenario::Threads => device::threads(&scene).await,
            Scenario::Classify => classify::classify(&scene).await,
            Scenario::Train => train::train(&scene).await,
            Scenario::Data => data::data(&scene).await,
            Scenario::Inputs => inputs::inputs(&scene).await,
            Scenario::Bundled => bundled::bundled(&scene).await,
            Scenario::Refuse => weights::refuse(&scene).await,
            Scenario::Hub => weights::hub(&scene).await,
            Scenario::Parity => device::parity(&scene).await,
            Scenario::Hardware => hardware::hardware(&scene).await,
            Scenario::Tune => tune::tune(&scene).await,
            Scenario::Course => course::course(&scene).await,
            Scenario::Architectures => architectures::architectures(&scene).await,
            Scenario::Onnx => {
                let scripts = scripts.as_deref().context("onnxruntime-web")?;
                onnx::onnx(&scene, scripts).await
            }
            Scenario::Offline => offline::offline(&scene).await,
            Scenario::Firefox => firefox::firefox(&scene).await,
            Scenario::Plain => plain::plain(&scene).await,
            Scenario::Resume => course::resume(&scene).await,
            Scenario::Lost => course::lost(&scene).await,
        };
        done.with_context(|| format!("scenario {name}"))?;
        println!("  {name}: passed in {:.1} s", start.elapsed().as_secs_f64());
    }
    println!("{} scenarios passed", scenarios.len());
    Ok(())
}

impl Scene<'_> {
    /// Opens the page and waits until it is ready on the CPU, does `steps`, and checks what every
    /// scenario promises. Shows the page if something fails.
    async fn on_cpu(
        &self,
        query: &str,
        steps: impl AsyncFnOnce(&Page) -> Result<()>,
    ) -> Result<()> {
        self.on(&format!("?backend=cpu{query}"), async |page: &Page| {
            page.state("ready", 60).await?;
            page.becomes("backend", "data-backend", "cpu", 5).await?;
            steps(page).await
        })
        .await
    }

    /// The same with the whole query given, and without waiting.
    async fn on(&self, query: &str, steps: impl AsyncFnOnce(&Page) -> Result<()>) -> Result<()> {
        self.on_url(&self.host.url, query, steps).await
    }

    /// A page of the test's own, `index.html` in a folder, without the headers of ours.
    async fn on_site(
        &self,
        folder: &Path,
        steps: impl AsyncFnOnce(&Page) -> Result<()>,
    ) -> Result<()> {
        let url = self.host.serve(folder).await?;
        self.on_url(&url, "", steps).await
    }

    async fn on_url(
        &self,
        url: &str,
        query: &str,
        steps: impl AsyncFnOnce(&Page) -> Result<()>,
    ) -> Result<()> {
        let browser = self.driver.open(&self.host.proxy).await?;
        self.in_browser(browser, url, query, steps).await
    }

    /// The same in a browser that is open already.
    async fn in_browser(
        &self,
        browser: Browser,
        url: &str,
        query: &str,
        steps: impl AsyncFnOnce(&Page) -> Result<()>,
    ) -> Result<()> {
        let page = Page::open(browser, url, query).await?;
        let result = steps(&page).await;
        let checked = match result {
            Ok(()) => self.check_quiet(&page).await,
            failed => failed,
        };
        if let Err(error) = checked {
            self.show_failure(&page).await;
            return Err(error);
        }
        page.close().await
    }

    async fn check_quiet(&self, page: &Page) -> Result<()> {
        for (level, message) in page.log().await? {
            ensure!(level != "SEVERE", "the console says: {message}");
        }
        let failed = self.host.take_failed();
        ensure!(
            failed.is_empty(),
            "the page asked for what is not there: {failed:?}"
        );
        let foreign = self.host.take_foreign();
        ensure!(
            foreign.is_empty(),
            "the page asked other hosts: {foreign:?}"
        );
        Ok(())
    }

    /// Whatever helps to see what went wrong; a second failure here must not hide the first.
    async fn show_failure(&self, page: &Page) {
        let dir = self
            .shots
            .cloned()
            .unwrap_or_else(|| xtask::project::target_dir().join("e2e"));
        let picture = dir.join("failure.png");
        let shot = match fs::create_dir_all(&dir) {
            Ok(()) => page.shoot(&picture, 1280, "light").await,
            Err(e) => Err(e.into()),
        };
        match shot {
            Ok(()) => eprintln!("picture of the page: {}", picture.display()),
            Err(e) => eprintln!("no picture of the page: {e:#}"),
        }
        match page.text().await {
            Ok(text) => eprintln!("--- text of the page ---\n{text}\n---"),
            Err(e) => eprintln!("no text of the page: {e:#}"),
        }
        for (level, message) in page.log().await.unwrap_or_default() {
            eprintln!("console {level}: {message}");
        }
        for line in self.host.take_failed() {
            eprintln!("host: {line}");
        }
    }

    /// Pictures for the eye, where they were asked for.
    async fn shoot(&self, page: &Page, name: &str) -> Result<()> {
        let Some(dir) = self.shots else {
            return Ok(());
        };
        for (look, width, scheme) in [
            ("light", 1280, "light"),
            ("dark", 1280, "dark"),
            ("360", 360, "light"),
        ] {
            page.shoot(&dir.join(format!("{name}-{look}.png")), width, scheme)
                .await?;
        }
        Ok(())
    }
}

/// The page shows an error, and one that says what it is about.
async fn expect_error(page: &Page, names: &[&str]) -> Result<()> {
    let banner = page.appears("error-banner", 60).await?;
    let text = banner.get("text");
    for name in names {
        if !text.contains(name) {
            bail!("the error does not name \"{name}\": {text}");
        }
    }
    Ok(())
}
