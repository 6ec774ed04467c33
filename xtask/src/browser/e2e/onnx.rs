//! The model as ONNX: onnxruntime-web, in the same browser and by the text that comes with the file, gives the page's
//! answers.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::RgbImage;
use serde_json::{Value, json};

use super::Scene;
use crate::page::Page;

/// How far a probability may be from the page's.
const EXACT: f64 = 1e-4;

/// How far it may be where the file resizes: a byte here and there is another by one.
const RESIZED: f64 = 2e-3;

/// Photos as (name, width, height, how far a probability may be off): of the bundled model's size, larger, smaller.
const PHOTOS: [(&str, u32, u32, f64); 3] = [
    ("exact.png", 160, 160, EXACT),
    ("larger.png", 517, 301, RESIZED),
    ("smaller.png", 150, 113, RESIZED),
];

/// What a person writes with the text at hand: its example as it stands, around it a file and a place for what it says.
const RUN: &str = r#"
const [code, photo, done] = arguments;
(async () => {
  const ort = await import("./ort/ort.wasm.min.mjs");
  ort.env.wasm.numThreads = 1;
  const file = await (await fetch(photo)).blob();
  const said = [];
  const AsyncFunction = (async () => {}).constructor;
  const example = new AsyncFunction("ort", "file", "console", `${code}\nreturn [...probabilities.data];`);
  const probabilities = await example(ort, file, { log: (...words) => said.push(...words) });
  return { said, probabilities };
})().then(done, (error) => done(String(error)));
"#;

/// `scripts` is the folder of onnxruntime-web's.
pub async fn onnx(scene: &Scene<'_>, scripts: &Path) -> Result<()> {
    let photos = photos(scene.files.path())?;
    let (mut ours, mut zip) = (Vec::new(), Vec::new());
    scene
        .on_cpu("", async |page| {
            page.put("image-input", &photos).await?;
            for (name, ..) in PHOTOS {
                ours.push(answer(page, name).await?);
            }
            zip = fs::read(page.download("export-onnx").await?)?;
            compared(page).await?;
            scene.shoot(page, "onnx").await
        })
        .await?;

    let site = scene.files.path();
    // With an icon, or Chromium asks for one.
    let html = "<!doctype html><title>onnxruntime-web</title><link rel=icon href=data:,>";
    fs::write(site.join("index.html"), html)?;
    fs::write(site.join("model.onnx"), member(&zip, "model.onnx")?)?;
    std::os::unix::fs::symlink(scripts, site.join("ort"))?;
    let readme = String::from_utf8(member(&zip, "README.md")?)?;
    let (_, code) = readme
        .split_once("```js\n")
        .context("README.md has no JavaScript")?;
    let (code, _) = code
        .split_once("```")
        .context("README.md's JavaScript has no end")?;
    scene
        .on_site(site, async |page| {
            for ((name, .., tolerance), (label, expected)) in PHOTOS.iter().zip(&ours) {
                let arguments = vec![json!(code), json!(name)];
                let found = page.client().execute_async(RUN, arguments).await?;
                let Value::Array(found_values) = &found["probabilities"] else {
                    bail!("{name}: {found}");
                };
                ensure!(
                    found["said"][0] == json!(label),
                    "{name} is {found}, not {label}"
                );
                ensure!(found_values.len() == expected.len(), "{name}: {found}");
                let mut largest = 0.0_f64;
                for (value, want) in found_values.iter().zip(expected) {
                    let value = value.as_f64().context("a probability is not a number")?;
                    largest = largest.max((value - want).abs());
                }
                println!("  {name} in onnxruntime-web: at most {largest:.1e} from the page");
                ensure!(
                    largest < *tolerance,
                    "{name}: {largest} is not below {tolerance}"
                );
            }
            Ok(())
        })
        .await
}

/// Hills under a sky, of some size, none like another.
fn photos(dir: &Path) -> Result<Vec<PathBuf>> {
    (PHOTOS.into_iter())
        .map(|(name, width, height, _)| {
            let picture = RgbImage::from_fn(width, height, |x, y| {
                let (u, v) = (x as f32 / width as f32, y as f32 / height as f32);
                let hill = 0.5 + 0.2 * (7.0 * u + width as f32).sin();
                let grain = ((x * 31 + y * 17) % 23) as u8;
                match v < hill {
                    true => image::Rgb([110 + grain, 150 + grain, 210 + grain]),
                    false => image::Rgb([60 + grain, 110 + grain, (90.0 * v) as u8 + grain]),
                }
            });
            let path = dir.join(name);
            picture.save(&path)?;
            Ok(path)
        })
        .collect()
}

/// Label and probabilities of a photo on the page, in the classes' order.
async fn answer(page: &Page, name: &str) -> Result<(String, Vec<f64>)> {
    let seen = page
        .until(&format!("the answer for {name}"), 60, async || {
            let rows = page.all("prediction").await?;
            Ok(rows.into_iter().find(|row| row.get("data-file") == name))
        })
        .await?;
    let values = seen.get("data-probabilities").split(' ');
    let values = values.map(str::parse).collect::<Result<_, _>>()?;
    Ok((seen.get("data-label").to_owned(), values))
}

/// The page has run the file itself and says what came of it.
async fn compared(page: &Page) -> Result<()> {
    let what = "the comparison after the export";
    page.until(what, 60, async || {
        let notices = page.all("warning").await?;
        let said = |text: &str| text.contains("Read back and run on 8 images");
        Ok(notices.iter().any(|n| said(n.get("text"))).then_some(()))
    })
    .await
}

fn member(zip: &[u8], name: &str) -> Result<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(zip))?;
    let mut bytes = Vec::new();
    let mut file = archive
        .by_name(name)
        .with_context(|| format!("the zip has no {name}"))?;
    std::io::copy(&mut file, &mut bytes)?;
    Ok(bytes)
}
