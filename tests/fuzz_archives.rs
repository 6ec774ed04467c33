//! Archives with changed bytes: whatever is in them, opening and reading ends in good time and memory.

mod limits;

use std::io::{Cursor, Write};

use limits::{Cost, MOST_BYTES};
use retune::data::archive;
use retune::platform::files::InputFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Mutated archives of each of the two families.
const ROUNDS: usize = 10_000;
/// One in so many is a fixture, which takes longer: it unpacks to a megabyte.
const FIXTURE: usize = 25;

/// Marsaglia's xorshift with 64 bits.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % n.max(1)
    }

    /// Changes bytes, numbers, or the length.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(6) {
            let len = bytes.len();
            // Headers stand at the ends and hold most of what can go wrong.
            let at = match self.below(3) {
                0 => self.below(len.min(600)),
                1 => len.saturating_sub(1 + self.below(len.min(600))),
                _ => self.below(len),
            };
            match self.below(8) {
                0 => bytes.truncate(at.max(1)),
                1 => {
                    let number = [
                        0_u32,
                        1,
                        0xff,
                        0xffff,
                        0x7fff_ffff,
                        0xffff_fffe,
                        0xffff_ffff,
                    ];
                    let number = number[self.below(number.len())].to_le_bytes();
                    let end = (at + 1 + self.below(4)).min(len);
                    for (byte, new) in bytes[at.min(end)..end].iter_mut().zip(number) {
                        *byte = new;
                    }
                }
                2 => {
                    let from = self.below(len);
                    let piece = bytes[from..(from + self.below(64)).min(len)].to_vec();
                    bytes.splice(at.min(len)..at.min(len), piece);
                }
                3 => {
                    let end = (at + self.below(64)).min(len);
                    bytes.drain(at.min(end)..end);
                }
                _ => {
                    let new = u8::try_from(self.below(256)).expect("a byte");
                    if let Some(byte) = bytes.get_mut(at) {
                        *byte = new;
                    }
                }
            }
            if bytes.is_empty() {
                return;
            }
        }
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/archives");
    std::fs::read(format!("{folder}/{name}")).expect(name)
}

fn small_zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (i, (path, bytes)) in files.iter().enumerate() {
        let method = match i % 2 {
            0 => CompressionMethod::Deflated,
            _ => CompressionMethod::Stored,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*path, options).expect("an entry");
        zip.write_all(bytes).expect("memory");
    }
    zip.finish().expect("a zip").into_inner()
}

fn small_tar() -> Vec<u8> {
    let mut bytes = Vec::new();
    let names: [(&[u8], u8, &[u8]); 6] = [
        (b"set/", b'5', b""),
        (b"set/cat/1.jpg", b'0', b"some bytes of an image"),
        (
            b"././@LongLink",
            b'L',
            b"set/a long name of an image/2.jpg\0",
        ),
        (b"set/short", b'0', b"more bytes"),
        (b"PaxHeaders/3", b'x', b"20 path=set/3.jpg  \n13 size=100\n"),
        (b"set/4.jpg", b'0', &[9; 700]),
    ];
    for (name, kind, data) in names {
        let mut block = [0; 512];
        block[..name.len()].copy_from_slice(name);
        block[124..135].copy_from_slice(format!("{:011o}", data.len()).as_bytes());
        block[156] = kind;
        bytes.extend_from_slice(&block);
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    seal(&mut bytes);
    bytes
}

/// Writes the checksum of every block that has none of its own and could be a header, so that mutated headers are
/// looked at.
fn seal(bytes: &mut [u8]) {
    for block in bytes.chunks_exact_mut(512) {
        if block[124..135].iter().all(u8::is_ascii_digit) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
            block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        }
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packer.write_all(bytes).expect("memory");
    packer.finish().expect("memory")
}

/// How many archives opened, how many entries were read, and the worst figures.
#[derive(Debug, Default)]
struct Seen {
    opened: usize,
    read: usize,
    failed: usize,
    worst: Cost,
}

impl Seen {
    fn look(&mut self, what: &str, round: usize, bytes: Vec<u8>) {
        let file = InputFile::memory("set.zip", bytes);
        let Self {
            opened,
            read,
            failed,
            worst,
        } = self;
        let name = || format!("{what} {round}");
        worst.of(MOST_BYTES, &name, || {
            let Ok(mut source) = archive::open(&file) else {
                return;
            };
            *opened += 1;
            for i in 0..source.len() {
                let whole = source.read(i);
                let head = source.head(i, 16);
                *read += usize::from(whole.is_ok());
                *failed += usize::from(whole.is_err());
                assert!(whole.is_err() || head.is_ok(), "{what} {round}: a head");
            }
        });
    }
}

/// A zip of one entry that is packed as `method` and claims to have a megabyte.
fn claim(method: u16, packed: &[u8]) -> Vec<u8> {
    let mut bytes = small_zip(&[("a/1.jpg", packed.to_vec()), ("a/2.jpg", packed.to_vec())]);
    // The second entry is stored. Its header in the directory is the last one.
    let at = bytes
        .windows(4)
        .rposition(|w| w == b"PK\x01\x02")
        .expect("a header");
    bytes[at + 10..at + 12].copy_from_slice(&method.to_le_bytes());
    bytes[at + 24..at + 28].copy_from_slice(&(1_u32 << 20).to_le_bytes());
    bytes
}

/// Archives that ask for gigabytes to unpack a few bytes.
fn claims() -> Vec<(&'static str, Vec<u8>)> {
    let lzma = [&[9, 20, 5, 0, 0x5d, 0xff, 0xff, 0xff, 0xff][..], &[0; 40]].concat();
    // A window of 128 MiB, the largest that is taken, and one of 2 TiB; each with a block of three bytes.
    let zstd = |window: u8| [b"\x28\xb5\x2f\xfd\0", &[window][..], b"\x19\0\0abc"].concat();
    let frames = [zstd(0x88), zstd(0x88)].concat();
    let mut xz = fixture("set.tar.xz");
    // The block's header: its length in words less one, ..., LZMA2's number, 1, the window, ..., its checksum.
    let end = 12 + (usize::from(xz[12]) + 1) * 4 - 4;
    let at = 12
        + xz[12..end]
            .windows(2)
            .position(|w| w == [0x21, 1])
            .expect("LZMA2");
    xz[at + 2] = 40;
    let sum = crc32fast::hash(&xz[12..end]).to_le_bytes();
    xz[end..end + 4].copy_from_slice(&sum);
    vec![
        ("LZMA with 4 GiB", claim(14, &lzma)),
        ("Zstandard with 128 MiB", claim(93, &frames)),
        ("Zstandard with 2 TiB", claim(93, &zstd(0xf8))),
        ("a tar with 128 MiB", frames),
        ("XZ with 4 GiB", claim(95, &xz)),
        ("a tar of XZ with 4 GiB", xz),
    ]
}

/// One test, so that no other one's allocations are counted.
#[test]
fn changed_bytes_do_no_harm() {
    let text = |n: usize| "an image ".repeat(n).into_bytes();
    let inner = small_zip(&[("1.jpg", text(5)), ("2.jpg", text(6))]);
    let zips = [
        small_zip(&[
            ("set/cat/1.jpg", text(3)),
            ("set/dog/2.jpg", text(40)),
            ("set/dog/", Vec::new()),
        ]),
        small_zip(&[
            ("set/caf\u{e9}/1.jpg", text(30)),
            ("train.zip", inner.clone()),
            ("test.zip", inner),
        ]),
    ];
    let zip_fixtures = [
        "deflate64.zip",
        "bzip2.zip",
        "lzma.zip",
        "lzma-python.zip",
        "xz.zip",
        "zstd.zip",
    ]
    .map(fixture);
    let tar_fixtures = ["set.tar.bz2", "set.tar.xz", "set.tar.zst", "set.tar.gz"].map(fixture);
    let tar = small_tar();

    let mut seen = Seen::default();
    for (what, bytes) in claims() {
        seen.look(what, 0, bytes);
    }
    println!("claims: {seen:?}");
    assert_eq!(
        (seen.read, seen.failed),
        (4, 4),
        "of each zip the other entry is read"
    );

    let mut random = Random(0x9e37_79b9_7f4a_7c15);

    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let mut bytes = if round % FIXTURE == 0 {
            zip_fixtures[round / FIXTURE % zip_fixtures.len()].clone()
        } else {
            zips[round % zips.len()].clone()
        };
        random.mutate(&mut bytes);
        seen.look("zip", round, bytes);
    }
    println!("{ROUNDS} zips: {seen:?}");
    assert!(seen.opened > ROUNDS / 10 && seen.opened < ROUNDS && seen.read > 0 && seen.failed > 0);

    let mut seen = Seen::default();
    for round in 0..ROUNDS {
        let mut bytes = if round % FIXTURE == 0 {
            tar_fixtures[round / FIXTURE % tar_fixtures.len()].clone()
        } else {
            tar.clone()
        };
        // Behind gzip, half the time before it is packed and half after.
        match round % 4 {
            _ if round % FIXTURE == 0 => random.mutate(&mut bytes),
            0 => {
                bytes = gzip(&bytes);
                random.mutate(&mut bytes);
            }
            way => {
                random.mutate(&mut bytes);
                seal(&mut bytes);
                if way == 1 {
                    bytes = gzip(&bytes);
                }
            }
        }
        seen.look("tar", round, bytes);
    }
    println!("{ROUNDS} tars: {seen:?}");
    assert!(seen.opened > ROUNDS / 10 && seen.opened < ROUNDS && seen.read > 0);
}
