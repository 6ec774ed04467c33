//! Names that do not say how they are written. One archiver on one machine wrote all of them, so the encoding
//! is decided once for the archive: the one in which all of its names together look most like words.

mod common;
mod pages;
mod score;

use std::collections::HashSet;

use self::score::Tally;
use crate::platform::{Encoding, encoding};

/// Most different parts of names that are looked at to decide.
const LOOK_AT: usize = 2000;

/// The name of an entry as it lies in the archive.
#[derive(Debug, Clone)]
pub(super) struct RawName {
    pub bytes: Vec<u8>,
    /// Whether the bytes are UTF-8: the archive says so and they are, or they are ASCII.
    unicode: bool,
}

impl RawName {
    /// Bytes, and whether the archive states that they are UTF-8.
    pub fn new(bytes: Vec<u8>, stated: bool) -> Self {
        let unicode = bytes.is_ascii() || (stated && std::str::from_utf8(&bytes).is_ok());
        Self { bytes, unicode }
    }
}

/// A way to read bytes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Page {
    Utf8,
    /// A code page of MS-DOS: the characters of bytes 80 to FF.
    Dos(&'static str),
    /// One that the platform decodes.
    Known(Encoding),
}

/// All of them, with what each is preferred by where several fit about as well.
const PAGES: [(Page, f64); 11] = [
    // Bytes that are UTF-8 by chance are rare.
    (Page::Utf8, 0.3),
    (Page::Dos(pages::CP437), 0.03),
    (Page::Dos(pages::CP850), 0.02),
    (Page::Dos(pages::CP852), 0.0),
    (Page::Known(Encoding::ShiftJis), 0.0),
    (Page::Known(Encoding::Gbk), 0.0),
    (Page::Known(Encoding::Big5), 0.0),
    (Page::Known(Encoding::EucKr), 0.0),
    (Page::Known(Encoding::Ibm866), 0.0),
    (Page::Known(Encoding::Windows1251), 0.0),
    (Page::Known(Encoding::Windows1252), 0.0),
];

impl Page {
    /// The text; none where bytes stand for nothing.
    fn decode(self, bytes: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok().map(str::to_owned),
            Self::Dos(upper) => Some(
                bytes
                    .iter()
                    .map(|&byte| {
                        let place = usize::from(byte).checked_sub(0x80);
                        place.map_or(char::from(byte), |i| upper.chars().nth(i).unwrap_or('?'))
                    })
                    .collect(),
            ),
            Self::Known(encoding) => encoding::decode(encoding, bytes),
        }
    }
}

/// The page in which some parts of names look most like words, and how much they do.
fn best(
    parts: &HashSet<&[u8]>,
    pages: impl IntoIterator<Item = (Page, f64)>,
) -> Option<(Page, f64)> {
    let mut best = (None, 0.0);
    for (page, preferred) in pages {
        let mut tally = Tally::default();
        for part in parts {
            match page.decode(part) {
                Some(text) => score::add(&mut tally, page, part, &text),
                None => tally.refuse(part),
            }
        }
        let score = tally.mean() + preferred;
        if score > best.1 {
            best = (Some(page), score);
        }
    }
    best.0.map(|page| (page, best.1))
}

/// The text of a table that is not UTF-8, with the name of its encoding, decided by its cells as the names of an archive
/// are; none if no encoding makes words of them. Programs that write tables do not write pages of MS-DOS.
pub(in crate::data) fn text_of_table(bytes: &[u8]) -> Option<(String, &'static str)> {
    /// What a right reading comes to.
    const CLEAN: f64 = 0.4;
    const LONGEST: usize = 100;
    /// Fewer than of names: a table may be all cells.
    const CELLS: usize = 200;
    let mut parts: HashSet<&[u8]> = HashSet::new();
    // None of these is half a character in any of the encodings.
    for part in bytes.split(|byte| b"\n\r\t,;\"/".contains(byte)) {
        if !part.is_ascii() && part.len() <= LONGEST && parts.len() < CELLS {
            parts.insert(part);
        }
    }
    let pages = PAGES
        .into_iter()
        .filter(|(page, _)| matches!(page, Page::Known(_)));
    let (page, score) = best(&parts, pages)?;
    match page {
        Page::Known(encoding) if score >= CLEAN => {
            Some((encoding::decode(encoding, bytes)?, encoding.label()))
        }
        _ => None,
    }
}

/// How the names of one archive are read.
#[derive(Debug)]
pub(super) struct Names(Option<Page>);

impl Names {
    /// Decides by all names.
    pub fn of<'a>(names: impl Iterator<Item = &'a RawName>) -> Self {
        let mut parts: HashSet<&[u8]> = HashSet::new();
        // 2F is never half a character in any of the encodings; 5C is.
        let all = names.filter(|name| !name.unicode);
        for part in all.flat_map(|name| name.bytes.split(|&byte| byte == b'/')) {
            if !part.is_ascii() && parts.len() < LOOK_AT {
                parts.insert(part);
            }
        }
        if parts.is_empty() {
            return Self(Some(Page::Utf8));
        }
        let best = best(&parts, PAGES);
        Self(best.map(|(page, _)| page))
    }

    /// The name as text, with `/` between its parts. Bytes that are no text become `\xff`, so that different
    /// names stay different.
    pub fn text(&self, name: RawName) -> String {
        let page = if name.unicode {
            Some(Page::Utf8)
        } else {
            self.0
        };
        let text = match page {
            Some(Page::Utf8) => String::from_utf8(name.bytes).map_err(|e| e.into_bytes()),
            Some(page) => page.decode(&name.bytes).ok_or(name.bytes),
            None => Err(name.bytes),
        };
        match text {
            // Some archivers on Windows write backslashes. In undecoded bytes one may be half a character.
            Ok(text) if text.contains('\\') => text.replace('\\', "/"),
            Ok(text) => text,
            Err(bytes) => crate::platform::escape(&bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(names: &[&[u8]]) -> Vec<String> {
        let raw: Vec<RawName> = names
            .iter()
            .map(|n| RawName::new(n.to_vec(), false))
            .collect();
        let names = Names::of(raw.iter());
        raw.into_iter().map(|name| names.text(name)).collect()
    }

    /// Names as archivers in eleven countries write them; the encoder is that of the test, not the decoder's.
    #[test]
    fn each_code_page_is_told_by_what_is_written_in_it() {
        use encoding_rs::{BIG5, EUC_KR, GBK, IBM866, SHIFT_JIS, WINDOWS_1251, WINDOWS_1252};
        let coded = |e: &'static encoding_rs::Encoding, names: &[&str]| {
            let encode = |name: &&str| {
                let path = format!("set/{name}/1.jpg");
                // 866 is read only by the Encoding Standard, so its letters are laid out here.
                if e == IBM866 {
                    return path.chars().map(ibm866).collect();
                }
                let (bytes, _, unmappable) = e.encode(&path);
                assert!(!unmappable, "{name}");
                bytes.into_owned()
            };
            let bytes: Vec<Vec<u8>> = names.iter().map(encode).collect();
            let found = read(&bytes.iter().map(Vec::as_slice).collect::<Vec<_>>());
            let right: Vec<String> = names.iter().map(|n| format!("set/{n}/1.jpg")).collect();
            assert_eq!(found, right, "{}", e.name());
        };
        for names in [
            &["\u{732b}", "\u{8868}", "\u{30bd}\u{30fc}\u{30b9}"][..],
            &["\u{72ac}", "cat"],
            &[
                "\u{6771}\u{4eac}_\u{80fd}\u{529b}",
                "\u{3072}\u{3088}\u{3053}",
            ],
            &[
                "\u{7570}\u{5e38}",
                "\u{6b63}\u{5e38}",
                "\u{5341}",
                "\u{66b4}",
            ],
        ] {
            coded(SHIFT_JIS, names);
        }
        for names in [
            &["\u{732b}", "\u{72d7}", "\u{5eea}"][..],
            &["\u{732b}", "dog"],
            &[
                "\u{5411}\u{65e5}\u{8475}",
                "\u{73ab}\u{7470}",
                "\u{8461}\u{8404}",
            ],
            &["\u{8bad}\u{7ec3}\u{96c6}", "\u{6d4b}\u{8bd5}\u{96c6}"],
        ] {
            coded(GBK, names);
        }
        for names in [
            &["\u{8c93}", "\u{72d7}"][..],
            &["\u{8a13}\u{7df4}", "\u{6e2c}\u{8a66}", "\u{529f}\u{8a31}"],
        ] {
            coded(BIG5, names);
        }
        for names in [
            &["\u{ace0}\u{c591}\u{c774}", "\u{ac15}\u{c544}\u{c9c0}"][..],
            &["\u{c815}\u{c0c1}", "\u{bd88}\u{b7c9}"],
            &["\u{c0ac}\u{acfc}", "\u{bc30}", "\u{d3ec}\u{b3c4}"],
        ] {
            coded(EUC_KR, names);
        }
        for e in [IBM866, WINDOWS_1251] {
            for names in [
                &["\u{43a}\u{43e}\u{442}", "\u{43f}\u{451}\u{441}"][..],
                &[
                    "\u{41a}\u{43e}\u{448}\u{43a}\u{438}",
                    "\u{421}\u{43e}\u{431}\u{430}\u{43a}\u{438}",
                ],
                &[
                    "\u{426}\u{412}\u{415}\u{422}\u{42b}",
                    "\u{434}\u{435}\u{440}\u{435}\u{432}\u{44c}\u{44f}",
                ],
            ] {
                coded(e, names);
            }
        }
        coded(WINDOWS_1252, &["K\u{f6}nig", "stra\u{df}e"]);
        coded(WINDOWS_1252, &["p\u{e1}jaro", "le\u{f3}n", "ni\u{f1}o"]);
    }

    /// The layout of code page 866: capitals from 80, small letters from A0 and E0, yo at F0.
    fn ibm866(c: char) -> u8 {
        match c as u32 {
            n @ 0..0x80 => n as u8,
            n @ 0x410..=0x43f => (n - 0x410 + 0x80) as u8,
            n @ 0x440..=0x44f => (n - 0x440 + 0xe0) as u8,
            0x451 => 0xf1,
            _ => panic!("not in the page: {c}"),
        }
    }

    #[test]
    fn dos_pages_of_the_west_and_utf8_without_a_flag() {
        let cases: [(&[u8], &str); 12] = [
            (b"caf\x82/1.jpg", "caf\u{e9}/1.jpg"),
            (b"Gr\x94\xe1e/1.jpg", "Gr\u{f6}\u{df}e/1.jpg"),
            (b"\x8epfel", "\u{c4}pfel"),
            (b"ni\xa4o", "ni\u{f1}o"),
            (b"k\x9bd", "k\u{f8}d"),
            (b"c\xc6o", "c\u{e3}o"),
            (b"ko\x9fka", "ko\u{10d}ka"),
            (b"\xbe\xa2\x88w", "\u{17c}\u{f3}\u{142}w"),
            (b"\x82l\x8ave", "\u{e9}l\u{e8}ve"),
            ("\u{732b}".as_bytes(), "\u{732b}"),
            ("cafe\u{301}".as_bytes(), "cafe\u{301}"),
            ("\u{43a}\u{43e}\u{442}".as_bytes(), "\u{43a}\u{43e}\u{442}"),
        ];
        for (bytes, text) in cases {
            assert_eq!(read(&[bytes]), [text], "{bytes:x?}");
        }
    }

    #[test]
    fn what_is_no_text_stays_apart() {
        let names = read(&[b"set/\xff\xfe\x5c\x01/1.jpg", b"set/\xff\xfd\x5c\x01/1.jpg"]);
        assert_ne!(names[0], names[1]);
        assert!(
            names[0].starts_with("set/") && names[0].ends_with("/1.jpg"),
            "{names:?}"
        );
        // One broken name among good ones: these are read, that one is spelt out.
        let cat = "\u{732b}/1.jpg".as_bytes();
        let names = read(&[cat, "\u{72d7}/1.jpg".as_bytes(), b"\xe7\x8c/1.jpg"]);
        assert_eq!(
            names,
            ["\u{732b}/1.jpg", "\u{72d7}/1.jpg", "\\xe7\\x8c/1.jpg"]
        );
    }
}
