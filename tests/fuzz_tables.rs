//! Tables come from strangers: whatever the bytes, there is no panic, no long wait and no large allocation.
#![cfg(feature = "data")]

use retune::data::Indexer;
use retune::protocol::{Columns, Labels};
use retune::random::Random;

mod limits;
mod sets;

use limits::{Cost, MOST_BYTES};
use sets::source;

/// Inputs.
const ROUNDS: usize = 10_000;
/// Good tables of every form, to be spoilt.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let rows = |form: fn(usize, &str) -> String| -> String {
        (0..8).map(|i| form(i, ["cat", "dog"][i % 2])).collect()
    };
    let csv = format!(
        "file,label,split\n{}",
        rows(|i, l| format!("{i}.jpg,\"{l}, \"\"x\"\"\",train\r\n"))
    );
    let utf16 = [0xfeff_u16]
        .into_iter()
        .chain(csv.encode_utf16())
        .flat_map(u16::to_le_bytes);
    vec![
        ("l.csv", csv.clone().into_bytes()),
        ("l.csv", utf16.collect()),
        (
            "l.csv",
            format!(
                "\u{feff}id;a;b;c\n{}",
                rows(|i, _| format!("{i};{};{};0\n", i % 2, 1 - i % 2))
            )
            .into_bytes(),
        ),
        (
            "l.tsv",
            format!(
                "path\ttags\n{}",
                rows(|i, l| format!("x\\{i}.jpg\t{l} a b\n"))
            )
            .into_bytes(),
        ),
        (
            "l.json",
            format!(
                "{{{}\"9.jpg\":[\"cat\",{{\"x\":1}}]}}",
                rows(|i, l| format!("\"{i}.jpg\":\"{l}\","))
            )
            .into_bytes(),
        ),
        (
            "l.jsonl",
            rows(|i, l| format!("{{\"file\":\"{i}.jpg\",\"label\":\"{l}\",\"n\":{i}.5e3}}\n"))
                .into_bytes(),
        ),
        (
            "l.json",
            b"{\"file\":{\"0\":\"1.jpg\",\"1\":\"2.jpg\"},\"label\":{\"0\":\"cat\",\"1\":null}}"
                .to_vec(),
        ),
        (
            "l.json",
            b"[[\"1.jpg\",\"cat\"],[\"2.jpg\",\"dog\"]]".to_vec(),
        ),
        (
            "l.json",
            format!(
                "[{}{{}}]",
                rows(|i, l| format!("{{\"data\":{{\"image\":\"/data/upload/1/0123abcd-{i}.jpg\"}},\"annotations\":[{{\"result\":[{{\"from_name\":\"a\",\"value\":{{\"choices\":[\"{l}\"]}}}}]}}]}},"))
            )
            .into_bytes(),
        ),
        (
            "images.csv",
            format!("id,label,set\n{}", rows(|i, l| format!("{i},{l},{}\n", i % 2))).into_bytes(),
        ),
        (
            "images.txt",
            rows(|i, _| format!("{i} x/{i}.jpg\n")).into_bytes(),
        ),
        (
            "train.txt",
            rows(|i, _| format!("x/{i}.jpg {}\n", i % 2)).into_bytes(),
        ),
    ]
}

/// Changes, repeats, removes and swaps pieces.
fn spoil(bytes: &mut Vec<u8>, random: &mut Random, other: &[u8]) {
    const TOKENS: [&[u8]; 16] = [
        b"\"",
        b",",
        b";",
        b"\n",
        b"\r",
        b"\t",
        b"\0",
        b"{",
        b"[",
        b"]}",
        b"\xff",
        b"\xfe\xff",
        b"\xef\xbb\xbf",
        b"1e999",
        b"\\u0000",
        b"../../a.jpg",
    ];
    for _ in 0..=random.below(6) {
        let at = random.below(bytes.len() + 1);
        let end = (at + random.below(40)).min(bytes.len());
        match random.below(8) {
            0 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.below(256) as u8;
                }
            }
            1 => drop(bytes.drain(at..end)),
            2 => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            3 => {
                let token = TOKENS[random.below(TOKENS.len())].repeat(random.below(4000));
                bytes.splice(at..at, token);
            }
            4 => {
                let piece = bytes[at..end].repeat(random.below(300));
                bytes.splice(at..at, piece);
            }
            5 => bytes.truncate(at),
            6 => {
                let from = random.below(other.len().max(1));
                bytes.splice(at..end, other.iter().skip(from).take(60).copied());
            }
            _ => {
                let begin = bytes[at..end].to_vec();
                bytes.extend(begin);
            }
        }
    }
}

#[test]
fn spoilt_tables_do_no_harm() {
    let seeds = seeds();
    let mut random = Random::new(11);
    let images: Vec<(String, Vec<u8>)> = (0..10)
        .map(|i| (format!("x/{i}.jpg"), vec![i as u8]))
        .collect();
    let (mut labelled, mut refused, mut worst) = (0, 0, Cost::default());
    for round in 0..ROUNDS {
        let (name, bytes) = &seeds[round % seeds.len()];
        let mut bytes = bytes.clone();
        let other = &seeds[random.below(seeds.len())].1;
        spoil(&mut bytes, &mut random, other);
        let mut files = images.clone();
        files.push(((*name).to_owned(), bytes));
        // What an index by numbers is joined to.
        let numbered = (0..8).map(|i| format!("{i} {}\n", i % 2));
        files.push((
            "image_labels.txt".into(),
            numbered.collect::<String>().into(),
        ));
        let labels = match round % 3 {
            0 => Labels::Table {
                file: (*name).into(),
                columns: Columns::default(),
            },
            _ => Labels::Auto,
        };
        let found = worst.of(MOST_BYTES, &|| format!("round {round}"), || {
            let indexer = Indexer::new("set", Box::new(source(&files)));
            indexer.labels(labels).finish()
        });
        match found {
            Ok(data) if data.classes.len() > 1 => labelled += 1,
            _ => refused += 1,
        }
    }
    // What is much for its size: many cells, values, rows, columns, levels.
    let (size, mut large) = (2 << 20, Cost::default());
    for (name, text) in [
        ("l.csv", ",".repeat(1000) + "\n" + &",\n".repeat(size / 2)),
        ("l.csv", "0.jpg\n".repeat(size / 6)),
        ("l.csv", "\"".repeat(size)),
        ("l.json", format!("[{}[]]", "[],".repeat(size / 3))),
        (
            "l.json",
            format!("[{}{{}}]", "{\"0.jpg\":0},".repeat(size / 12)),
        ),
        ("l.json", "[".repeat(size)),
        ("l.jsonl", "{}\n".repeat(size / 3)),
        ("train.txt", "0.jpg\n".repeat(size / 6)),
        ("train.txt", "0 ".repeat(size / 2)),
        ("labels.txt", "\n0 0.jpg".repeat(size / 8)),
        ("test.txt", "x\n".repeat(size / 2)),
    ] {
        let mut files = images.clone();
        files.push((name.to_owned(), text.into_bytes()));
        let found = large.of(MOST_BYTES, &|| name.to_owned(), || {
            Indexer::new("set", Box::new(source(&files))).finish()
        });
        assert!(found.is_ok());
    }
    println!(
        "{ROUNDS} spoilt tables: {labelled} gave labels, {refused} none; worst {worst:?}, of large ones {large:?}"
    );
    assert!(labelled > ROUNDS / 20, "only {labelled} were read at all");
    assert!(refused > ROUNDS / 20, "only {refused} were refused");
}
