//! Writes the list of images that a model was trained on, as it lies beside a bundled model:
//! `cargo run --release --example seen_list -- FOLDER OUT`.
//!
//! Of each image below FOLDER the list has a hash by which its copies are known, too.

use std::error::Error;
use std::path::Path;

use retune::data::seen::SeenImages;
use retune::image::{decode, phash::PHash};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, out] = &arguments[..] else {
        return Err("two arguments: a folder of images, and the list to write".into());
    };
    let (mut hashes, mut flat) = (Vec::new(), 0);
    hash_below(Path::new(folder), &mut |hash| match hash {
        Some(hash) => hashes.push(hash),
        None => flat += 1,
    })?;
    let images = hashes.len() + flat;
    let seen = SeenImages::new(hashes);
    std::fs::write(out, seen.write())?;
    println!(
        "{images} images, {flat} of them without a hash; {} hashes in {out}",
        seen.len()
    );
    Ok(())
}

fn hash_below(folder: &Path, hashed: &mut impl FnMut(Option<PHash>)) -> Result<(), Box<dyn Error>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            hash_below(&path, hashed)?;
        } else {
            let image = decode(&path.to_string_lossy(), &std::fs::read(&path)?)?;
            hashed(PHash::of(&image));
        }
    }
    Ok(())
}
