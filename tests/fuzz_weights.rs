//! Checkpoints come from strangers: whatever the bytes, there is no panic, no long wait and no large allocation.
#![cfg(feature = "data")]

mod limits;

use std::fs;
use std::io::{Cursor, Read, Write};
use std::path::Path;

use limits::{Cost, MOST_BYTES};
use retune::random::Random;
use retune::weights::read;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Changed files of each format.
const ROUNDS: usize = 10_000;

fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/weights");
    fs::read(folder.join(name)).expect(name)
}

/// Changes, repeats, removes and swaps pieces.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random) {
    const TOKENS: [&[u8]; 14] = [
        b"(",
        b"}(",
        b"t",
        b"R",
        b"b",
        b"\x81",
        b"u",
        b"]",
        b"h\0",
        b"Q",
        b"\xff\xff\xff\xff",
        b"\x7f",
        b"0",
        b"2",
    ];
    for _ in 0..=random.below(5) {
        let at = random.below(bytes.len().max(1)).min(bytes.len());
        let end = (at + random.below(24)).min(bytes.len());
        match random.below(7) {
            0 | 1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            2 => drop(bytes.drain(at..end)),
            3 => {
                let token = TOKENS[random.below(TOKENS.len())].repeat(1 + random.below(3));
                bytes.splice(at..at, token);
            }
            4 => {
                let piece = bytes[at..end].repeat(random.below(200));
                bytes.splice(at..at, piece);
            }
            5 => bytes.truncate(at),
            _ => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
            }
        }
    }
}

/// The archive with a spoilt pickle in it, whose checksum is right again.
fn repack(archive: &[u8], random: &mut Random) -> Vec<u8> {
    let mut zip = ZipArchive::new(Cursor::new(archive)).expect("a zip");
    let mut out = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for i in 0..zip.len() {
        let mut entry = zip.by_index(i).expect("an entry");
        let name = entry.name().expect("a name").into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).expect("its bytes");
        if name.ends_with("data.pkl") {
            spoil(&mut bytes, random);
        }
        out.start_file(name, options).expect("started");
        out.write_all(&bytes).expect("written");
    }
    out.finish().expect("an archive").into_inner()
}

/// One test, so that no other one's allocations are counted.
#[test]
fn changed_bytes_do_no_harm() {
    let archives = [
        "f32.pth",
        "nested.pth",
        "module.pth",
        "views.pth",
        "protocol4.pth",
        "whole-module.pth",
        "numpy-names.pth",
        "numpy-protocol5.pth",
        "label-encoder.pth",
    ];
    let formats: [(&str, &[&str]); 4] = [
        ("the pickle of an archive", &archives),
        ("an archive", &archives),
        (
            "the format before 1.6",
            &["legacy.pth", "legacy-beside.pth"],
        ),
        ("safetensors", &["f32.safetensors", "f16.safetensors"]),
    ];
    let mut random = Random::new(17);
    for (format, names) in formats {
        let seeds: Vec<Vec<u8>> = names.iter().map(|name| fixture(name)).collect();
        let (mut opened, mut worst) = (0, Cost::default());
        for round in 0..ROUNDS {
            let seed = &seeds[round % seeds.len()];
            let bytes = if format.starts_with("the pickle") {
                repack(seed, &mut random)
            } else {
                let mut bytes = seed.clone();
                spoil(&mut bytes, &mut random);
                bytes
            };
            let what = || format!("{format}, round {round}");
            let found = worst.of(MOST_BYTES, &what, || read("spoilt", &bytes));
            opened += usize::from(found.is_ok());
        }
        println!("{ROUNDS} of {format}: {opened} were read; worst {worst:?}");
        assert!(
            opened > ROUNDS / 100 && opened < ROUNDS,
            "{format}: {opened}"
        );
    }
}
