//! The demo set: six kinds of scenes drawn from a seed, so that a fresh clone trains without a download and
//! without anyone's photos. They carry the labels of Intel Image and are meant to look like them to a
//! network as well as to a person.

mod canvas;
mod nature;
mod sea;
mod street;
mod town;

use std::collections::BTreeMap;

use crate::classes::INTEL;
use crate::config::DemoConfig;
use crate::data::source::{Source, past_the_end};
use crate::error::Result;
use crate::image::{Rgb, encode_png};
use crate::random::Random;

use canvas::{Canvas, Noise, chance};

/// Draws scene `index` of a class (a number into [`INTEL`]), `size` pixels square. The same four numbers
/// give the same bytes on every platform. A number past the last class starts over.
#[must_use]
pub fn draw(class: usize, index: usize, size: usize, seed: u64) -> Rgb {
    let class = class % INTEL.len();
    let mut random = Random::for_purpose(seed, &format!("{} {index}", INTEL[class]));
    let noise = Noise::new(&mut random);
    let mut canvas = Canvas::new(size);
    let scenes = [
        town::buildings,
        nature::forest,
        nature::glacier,
        nature::mountain,
        sea::sea,
        street::street,
    ];
    scenes[class](&mut canvas, &mut random, &noise);
    let mut image = canvas.develop(&mut random);
    if chance(&mut random, 0.5) {
        mirror(&mut image);
    }
    image
}

/// Left to right.
fn mirror(image: &mut Rgb) {
    for row in image.pixels.chunks_exact_mut(image.width.max(1) * 3) {
        row.reverse();
        for pixel in row.chunks_exact_mut(3) {
            pixel.reverse();
        }
    }
}

/// The demo set as a list of PNG files: `seg_train/<class>/0001.png` and a quarter as many under `seg_test`.
/// A file is drawn when it is first read, and kept: a training reads each several times, and drawing takes several times as
/// long as what the network does with it.
#[derive(Debug, Clone)]
pub struct DemoSource {
    config: DemoConfig,
    files: Vec<Drawing>,
    drawn: BTreeMap<usize, Vec<u8>>,
    /// Bytes of those.
    kept: usize,
}

/// Most bytes of files that are kept; the set of the default settings is below.
const KEPT: usize = 64 << 20;

#[derive(Debug, Clone)]
struct Drawing {
    path: String,
    class: usize,
    index: usize,
}

impl DemoSource {
    /// The set of these settings.
    #[must_use]
    pub fn new(config: DemoConfig) -> Self {
        let (train, test) = (config.per_class, config.per_class.div_ceil(4));
        let mut files = Vec::with_capacity((train + test) * INTEL.len());
        for (class, name) in INTEL.iter().enumerate() {
            // The test scenes go on where the training scenes end: none is drawn twice.
            for index in 0..train + test {
                let (part, number) = if index < train {
                    ("train", index)
                } else {
                    ("test", index - train)
                };
                files.push(Drawing {
                    path: format!("seg_{part}/{name}/{:04}.png", number + 1),
                    class,
                    index,
                });
            }
        }
        Self {
            config,
            files,
            drawn: BTreeMap::new(),
            kept: 0,
        }
    }
}

impl Source for DemoSource {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn path(&self, i: usize) -> &str {
        self.files.get(i).map_or("", |file| &file.path)
    }

    fn size(&self, _: usize) -> u64 {
        let edge = self.config.size as u64;
        edge * edge * 3
    }

    fn fingerprint(&self, i: usize) -> Option<u64> {
        // Each number draws another scene.
        Some(i as u64)
    }

    fn read(&mut self, i: usize) -> Result<Vec<u8>> {
        if let Some(drawn) = self.drawn.get(&i) {
            return Ok(drawn.clone());
        }
        let file = self.files.get(i).ok_or_else(|| past_the_end(i))?;
        let DemoConfig { size, seed, .. } = self.config;
        let drawn = encode_png(&draw(file.class, file.index, size, seed))?;
        if self.kept + drawn.len() <= KEPT {
            self.kept += drawn.len();
            self.drawn.insert(i, drawn.clone());
        }
        Ok(drawn)
    }
}
