//! Archives as people have them: every way of packing, names from before Unicode, archives in archives, and a plain
//! word for what cannot be opened.

mod names;
mod packing;
mod tars;

use std::io::Write;

use retune::data::{ArchiveSource, Source};
use retune::error::Error;
use retune::platform::files::InputFile;

/// A zip written by hand: any bytes as a name, any flags, methods and extra fields.
#[derive(Default)]
struct RawZip {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

/// What an entry has besides its name and its bytes.
#[derive(Clone, Copy)]
struct Extra<'a> {
    flags: u16,
    method: u16,
    field: &'a [u8],
    disk: u16,
}

const STORED: Extra = Extra {
    flags: 0,
    method: 0,
    field: &[],
    disk: 0,
};

impl RawZip {
    fn add(&mut self, name: &[u8], data: &[u8]) -> &mut Self {
        self.with(name, data, STORED)
    }

    fn with(&mut self, name: &[u8], data: &[u8], extra: Extra) -> &mut Self {
        let at = u32::try_from(self.bytes.len()).expect("small");
        let len = u32::try_from(data.len()).expect("small").to_le_bytes();
        let mut head = Vec::new();
        for n in [20, extra.flags, extra.method, 0, 0x5821] {
            head.extend_from_slice(&n.to_le_bytes());
        }
        head.extend_from_slice(&crc32fast::hash(data).to_le_bytes());
        head.extend_from_slice(&len);
        head.extend_from_slice(&len);
        for n in [name.len(), extra.field.len()] {
            head.extend_from_slice(&u16::try_from(n).expect("short").to_le_bytes());
        }
        self.bytes.extend_from_slice(b"PK\x03\x04");
        self.bytes.extend_from_slice(&head);
        for part in [name, extra.field, data] {
            self.bytes.extend_from_slice(part);
        }
        self.directory.extend_from_slice(b"PK\x01\x02\x14\0");
        self.directory.extend_from_slice(&head);
        self.directory.extend_from_slice(&[0; 2]);
        self.directory.extend_from_slice(&extra.disk.to_le_bytes());
        self.directory.extend_from_slice(&[0; 6]);
        self.directory.extend_from_slice(&at.to_le_bytes());
        self.directory.extend_from_slice(name);
        self.directory.extend_from_slice(extra.field);
        self.entries += 1;
        self
    }

    fn end(&self, disk: u16) -> Vec<u8> {
        let mut bytes = [&self.bytes[..], &self.directory, b"PK\x05\x06"].concat();
        for n in [disk, disk, self.entries, self.entries] {
            bytes.extend_from_slice(&n.to_le_bytes());
        }
        for part in [&self.directory, &self.bytes] {
            let len = u32::try_from(part.len()).expect("small");
            bytes.extend_from_slice(&len.to_le_bytes());
        }
        bytes.extend_from_slice(&[0; 2]);
        bytes
    }

    fn bytes(&self) -> Vec<u8> {
        self.end(0)
    }
}

/// One header of a tar and its content, padded.
fn tar_entry(name: &[u8], kind: u8, link: &[u8], data: &[u8]) -> Vec<u8> {
    let mut block = [0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    let mut bytes = seal(block).to_vec();
    bytes.extend_from_slice(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// Writes the checksum into a header.
fn seal(mut block: [u8; 512]) -> [u8; 512] {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    block
}

fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = entries.concat();
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

fn open_as(name: &str, bytes: Vec<u8>) -> Result<ArchiveSource, Error> {
    ArchiveSource::open(&InputFile::memory(name, bytes))
}

fn open(bytes: Vec<u8>) -> ArchiveSource {
    open_as("set.zip", bytes).expect("an archive")
}

/// All files: path and content.
fn files(source: &mut ArchiveSource) -> Vec<(String, Vec<u8>)> {
    let count = source.len();
    let read = |i| {
        let bytes = source.read(i).expect("readable");
        let head = source.head(i, 5).expect("readable");
        assert_eq!(
            head,
            bytes[..bytes.len().min(5)],
            "the head is the beginning"
        );
        (source.path(i).to_owned(), bytes)
    };
    let mut files: Vec<_> = (0..count).map(read).collect();
    files.sort();
    files
}

fn paths(source: &ArchiveSource) -> Vec<&str> {
    let mut paths: Vec<_> = (0..source.len()).map(|i| source.path(i)).collect();
    paths.sort_unstable();
    paths
}

/// What was refused, as "file: reason".
fn refused(source: &ArchiveSource) -> Vec<String> {
    let told = source.refused().iter();
    told.map(|s| format!("{}: {}", s.file, s.reason)).collect()
}

/// Asserts that a file is not opened and what is said about it.
fn assert_not_opened(name: &str, bytes: Vec<u8>, words: &[&str]) {
    match open_as(name, bytes) {
        Err(Error::Dataset(text)) => {
            for word in [&name].into_iter().chain(words) {
                assert!(text.contains(word), "{word:?} is not in {text:?}");
            }
        }
        other => panic!("{name} is not refused for {words:?}: {other:?}"),
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/archives");
    std::fs::read(format!("{folder}/{name}")).expect(name)
}
