//! What is on these images? `cargo run --release --example classify [FILE...]`; without a file, on drawn ones.

use retune::data::demo;
use retune::image::encode_png;
use retune::{Classifier, Device, Error, Result};

fn main() -> Result<()> {
    pollster::block_on(run(std::env::args().skip(1).collect()))
}

async fn run(paths: Vec<String>) -> Result<()> {
    // The CPU; `retune::platform::device::open` finds a GPU.
    let device = Device::flex();
    let classifier = Classifier::bundled(&device).await?;
    for (name, bytes) in images(&paths)? {
        let probabilities = classifier.classify(&name, &bytes).await?;
        let best = probabilities.iter().zip(&classifier.classes);
        let Some((share, class)) = best.max_by(|a, b| a.0.total_cmp(b.0)) else {
            continue;
        };
        println!("{name}: {class}, {:.1} %", share * 100.0);
    }
    Ok(())
}

/// Names and bytes of the files; of three drawings if there are none.
fn images(paths: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
    if paths.is_empty() {
        return [1, 3, 4]
            .into_iter()
            .map(|class| {
                let scene = demo::draw(class, 0, 160, 7);
                let name = format!("drawn {}.png", retune::classes::INTEL[class]);
                Ok((name, encode_png(&scene)?))
            })
            .collect();
    }
    let read = |path: &String| match std::fs::read(path) {
        Ok(bytes) => Ok((path.clone(), bytes)),
        Err(error) => Err(Error::Storage(format!("{path}: {error}"))),
    };
    paths.iter().map(read).collect()
}
