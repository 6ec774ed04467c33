//! On a host that sends no headers the page becomes isolated; a new version waits for a training; then the host is
//! gone, and the page still opens, classifies, trains and keeps.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};
use serde_json::Value;
use xtask::project::root;
use xtask::{build, precache};

use super::Scene;
use super::course::small_input;
use crate::page::Page;

/// What the title says in the version that follows.
const NEXT: &str = "Retune, the next version";

pub async fn offline(scene: &Scene<'_>) -> Result<()> {
    let site = scene.files.path().join("site");
    copy(scene.dist, &site)?;
    let (url, stop) = scene.host.serve_until(&site).await?;
    let steps = async |page: &Page| {
        first_visit(page).await?;
        let share = format!("{url}?backend=cpu&shared");
        new_version(page, &site).await?;
        ensure!(stop.send(()).is_ok(), "the host ended by itself");
        page.reload().await?;
        ensure!(
            title(page).await? == NEXT,
            "another version came from the cache"
        );
        page.state("ready", 60).await?;
        ensure!(isolated(page).await?, "not isolated without the host");
        trained_here(page).await?;
        page.click("demo-data").await?;
        train(page, "2").await?;
        page.until("the second epoch", 120, async || {
            Ok((epochs(page).await? == 2).then_some(()))
        })
        .await?;
        page.state("ready", 60).await?;
        shared_photo(page, &share).await?;
        trained_here(page).await
    };
    // The browser must not take a page from before the host was gone for one that works without.
    scene.on_url(&url, "?backend=cpu", steps).await
}

/// Loaded twice by itself, isolated then, and all kept once it is ready.
async fn first_visit(page: &Page) -> Result<()> {
    page.until("isolation", 30, async || {
        Ok(isolated(page).await?.then_some(()))
    })
    .await?;
    let how = "return performance.getEntriesByType('navigation')[0].type";
    let how = page.client().execute(how, Vec::new()).await?;
    ensure!(how == "reload", "isolated without a reload: {how}");
    page.state("ready", 60).await?;
    complete(page, 1).await
}

/// Waits until so many versions are kept whole.
async fn complete(page: &Page, versions: u64) -> Result<()> {
    let script = "const done = arguments[0]; (async () => { let whole = 0; \
                  for (const name of await caches.keys()) { \
                  const keys = await (await caches.open(name)).keys(); \
                  if (keys.some(key => key.url.includes('?complete='))) whole += 1; } \
                  return whole; })().then(done, error => done(String(error)))";
    page.until(&format!("{versions} kept"), 60, async || {
        let whole = page.client().execute_async(script, Vec::new()).await?;
        Ok((whole == versions).then_some(()))
    })
    .await
}

/// A version that comes during a training changes nothing until the training is over and the user says so.
async fn new_version(page: &Page, site: &Path) -> Result<()> {
    small_input(page).await?;
    page.click("demo-data").await?;
    page.appears("dataset-summary", 60).await?;
    train(page, "1000").await?;
    page.until("an epoch", 120, async || {
        Ok((epochs(page).await? > 0).then_some(()))
    })
    .await?;
    release(site)?;
    let update = "navigator.serviceWorker.ready.then(registration => registration.update())";
    page.client().execute(update, Vec::new()).await?;
    let notice = page.appears("new-version", 60).await?;
    ensure!(
        notice.get("text").contains("waits"),
        "{}",
        notice.get("text")
    );
    let button = page.appears("reload", 5).await?;
    ensure!(
        button.has("disabled"),
        "a reload is offered during a training"
    );
    complete(page, 2).await?;
    let before = epochs(page).await?;
    page.until("the training to go on", 30, async || {
        Ok((epochs(page).await? > before).then_some(()))
    })
    .await?;
    // Even now the page would get its worker from its own version.
    let kept =
        "const done = arguments[0]; fetch('index.html').then(page => page.text()).then(done)";
    let kept = page.client().execute_async(kept, Vec::new()).await?;
    let kept = kept.as_str().unwrap_or_default();
    ensure!(!kept.contains(NEXT), "two versions are mixed");
    page.click("train-stop").await?;
    page.state("ready", 60).await?;
    page.click("reload").await?;
    page.until("the next version", 30, async || {
        Ok((title(page).await? == NEXT).then_some(()))
    })
    .await?;
    page.state("ready", 60).await?;
    complete(page, 1).await?;
    trained_here(page).await
}

/// Puts another version at the same place, as a new build would.
fn release(site: &Path) -> Result<()> {
    let page = site.join("index.html");
    let html = fs::read_to_string(&page)?;
    let title = format!("<title>{NEXT}</title>");
    fs::write(&page, html.replace("<title>Retune</title>", &title))?;
    let script = "service-worker.js";
    fs::copy(root().join("www").join(script), site.join(script))?;
    precache::write(site, &build::files(site)?)
}

/// What another app shares arrives as a form, which the service worker takes.
async fn shared_photo(page: &Page, url: &str) -> Result<()> {
    let share = "const done = arguments[0]; const canvas = new OffscreenCanvas(64, 64); \
                 canvas.getContext('2d').fillRect(8, 8, 40, 40); canvas.convertToBlob().then(blob => { \
                 const form = new FormData(); form.append('photos', new File([blob], 'été.png')); \
                 return fetch('share', { method: 'POST', body: form, redirect: 'manual' }); }) \
                 .then(answer => done(answer.type), error => done(String(error)))";
    let answer = page.client().execute_async(share, Vec::new()).await?;
    ensure!(answer == "opaqueredirect", "sharing gave {answer}");
    page.client().goto(url).await?;
    page.until("the shared photo's label", 60, async || {
        let answers = page.all("prediction").await?;
        Ok(answers
            .into_iter()
            .find(|a| a.get("data-file") == "été.png"))
    })
    .await?;
    page.state("ready", 30).await
}

async fn train(page: &Page, epochs: &str) -> Result<()> {
    page.appears("dataset-summary", 60).await?;
    page.fill("epochs-input", epochs).await?;
    page.click("train-start").await
}

async fn epochs(page: &Page) -> Result<usize> {
    Ok(page.all("epoch").await?.len())
}

async fn trained_here(page: &Page) -> Result<()> {
    let model = page.appears("model-summary", 10).await?;
    let source = model.get("data-source");
    ensure!(source.contains("trained here"), "the model is \"{source}\"");
    Ok(())
}

async fn isolated(page: &Page) -> Result<bool> {
    let script = "return self.crossOriginIsolated === true";
    let isolated = page.client().execute(script, Vec::new()).await?;
    Ok(isolated == Value::Bool(true))
}

async fn title(page: &Page) -> Result<String> {
    Ok(page.client().title().await?)
}

/// Without the compressed twins, which such a host does not send.
pub(super) fn copy(from: &Path, to: &Path) -> Result<()> {
    for file in build::files(from)? {
        if file.extension().is_some_and(|ending| ending == "br") {
            continue;
        }
        let target = to.join(file.strip_prefix(from)?);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(&file, &target)?;
    }
    Ok(())
}
