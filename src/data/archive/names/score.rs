//! How much a decoded name looks like words. The numbers are rough by nature: right readings come to 0.6 and
//! more, wrong ones to less than 0.3, and they are compared with each other only.

use super::{Page, common};
use crate::platform::Encoding;

/// A sum over characters beyond ASCII.
#[derive(Debug, Default)]
pub(super) struct Tally {
    sum: f64,
    count: u32,
}

impl Tally {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// Counts a part that cannot be decoded.
    pub fn refuse(&mut self, part: &[u8]) {
        for _ in part.iter().filter(|byte| !byte.is_ascii()) {
            self.add(-1.0);
        }
    }

    /// From -1 to 1.
    pub fn mean(&self) -> f64 {
        self.sum / f64::from(self.count.max(1))
    }
}

/// Adds what the characters of one part are worth, decoded from `bytes` to `text`.
pub(super) fn add(tally: &mut Tally, page: Page, bytes: &[u8], text: &str) {
    let chars: Vec<char> = text.chars().collect();
    if let Page::Known(
        encoding @ (Encoding::ShiftJis | Encoding::Gbk | Encoding::Big5 | Encoding::EucKr),
    ) = page
    {
        let units = units(encoding, bytes);
        if units.len() != chars.len() {
            return tally.refuse(bytes);
        }
        for (i, (&c, unit)) in chars.iter().zip(units).enumerate() {
            if !c.is_ascii() {
                let before = i.checked_sub(1).and_then(|i| chars.get(i));
                let beside = [before, chars.get(i + 1)];
                // A character amid letters is most likely two letters of a Western name.
                let amid = beside.iter().flatten().any(|c| c.is_ascii_lowercase());
                tally.add(east_asian(encoding, c, unit) - if amid { 0.5 } else { 0.0 });
            }
        }
        return;
    }
    // A backslash behind such a byte is the second half of a character more often than it parts two names.
    for pair in bytes.windows(2) {
        if !pair[0].is_ascii() && pair[1] == b'\\' && page != Page::Utf8 {
            tally.add(-0.2);
        }
    }
    let is_letter = |c: &char| c.is_alphabetic() || is_mark(*c);
    for word in chars.chunk_by(|a, b| is_letter(a) && is_letter(b)) {
        if word.iter().any(|c| !c.is_ascii()) {
            alphabetic(tally, page, word);
        }
    }
}

/// Whether it is an accent of its own, as macOS writes them behind the letter.
const fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// The bytes of each character.
fn units(encoding: Encoding, mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut units = Vec::new();
    while let Some(&lead) = bytes.first() {
        let single =
            lead < 0x81 || (encoding == Encoding::ShiftJis && (0xa1..0xe0).contains(&lead));
        let four = encoding == Encoding::Gbk && bytes.get(1).is_some_and(u8::is_ascii_digit);
        let len = if single {
            1
        } else if four {
            4
        } else {
            2
        };
        let (unit, rest) = bytes.split_at(len.min(bytes.len()));
        units.push(unit);
        bytes = rest;
    }
    units
}

/// Whether a list of [`common`] has it.
fn listed(list: &str, c: char) -> bool {
    list.contains(c)
}

/// What a character of an encoding with two bytes each is worth. Each standard lists common characters
/// first and rare ones behind, which shows in the first byte.
fn east_asian(encoding: Encoding, c: char, unit: &[u8]) -> f64 {
    let (lead, trail) = match *unit {
        [lead, trail] => (lead, trail),
        // Half-width katakana, which any byte from A1 to DF stands for.
        [_] if matches!(c, '\u{ff61}'..='\u{ff9f}') => return -0.3,
        _ => return -1.0,
    };
    match encoding {
        Encoding::ShiftJis => match lead {
            _ if matches!(c, '\u{3041}'..='\u{30ff}') || listed(common::KANJI, c) => 1.0,
            0x81 if matches!(c, '\u{3005}'..='\u{3007}') => 0.8,
            0x81 | 0x82 => 0.2,
            0x88..=0x98 => 0.55,
            0xe0..=0xea => 0.0,
            _ => -1.0,
        },
        Encoding::Gbk => match (lead, trail) {
            _ if listed(common::SIMPLIFIED, c) => 1.0,
            (0xb0..=0xd7, 0xa1..) => 0.55,
            (0xd8..=0xf7, 0xa1..) => 0.1,
            (0xa1 | 0xa3, 0xa1..) => 0.2,
            _ if matches!(c, '\u{4e00}'..='\u{9fff}') => -0.1,
            _ => -0.8,
        },
        Encoding::Big5 => match lead {
            _ if listed(common::TRADITIONAL, c) => 1.0,
            0xa4..=0xc6 => 0.55,
            0xc9..=0xf9 => 0.1,
            0xa1..=0xa3 => 0.2,
            _ => -0.5,
        },
        _ => match (lead, trail) {
            _ if listed(common::HANGUL, c) => 1.0,
            (0xb0..=0xc8, 0xa1..) => 0.4,
            (0xa1..=0xac, 0xa1..) => 0.1,
            _ if matches!(c, '\u{ac00}'..='\u{d7a3}') => 0.0,
            _ => -0.2,
        },
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Script {
    Latin,
    Cyrillic,
    Other,
}

fn script(c: char) -> Script {
    match c {
        '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Script::Latin,
        '\u{400}'..='\u{52f}' => Script::Cyrillic,
        _ => Script::Other,
    }
}

/// Adds the characters beyond ASCII of a run of letters, or of one character that is none.
fn alphabetic(tally: &mut Tally, page: Page, word: &[char]) {
    let letters: Vec<char> = word.iter().copied().filter(|c| !is_mark(*c)).collect();
    let one_script = letters.windows(2).all(|w| script(w[0]) == script(w[1]));
    // Small, capitals, or a capital in front.
    let cased = letters
        .iter()
        .filter(|c| c.is_lowercase() || c.is_uppercase());
    let cased: Vec<bool> = cased.map(|c| c.is_uppercase()).collect();
    let one_case = cased.windows(2).skip(1).all(|w| w[0] == w[1])
        && cased.get(..2).is_none_or(|w| w[0] || !w[1]);
    let foreign = letters.len() > 1 && letters.iter().all(|c| !c.is_ascii());
    // Capitals alone make a word less often than small letters do, short ones least.
    let usual = match cased.first() {
        Some(true) if letters.len() <= 3 && cased.last() == Some(&true) => 0.5,
        Some(true) => 0.9,
        _ => 1.0,
    };
    let mut at = 0;
    for &c in word {
        let place = at;
        at += usize::from(!is_mark(c));
        if c.is_ascii() {
            continue;
        }
        tally.add(if is_mark(c) {
            if page == Page::Utf8 { 1.0 } else { -1.0 }
        } else if !c.is_alphabetic() {
            match c {
                '\u{b0}' | '\u{b2}' | '\u{b3}' | '\u{b7}' | '\u{a0}' => -0.2,
                // UTF-8 that names symbols is UTF-8.
                _ if page == Page::Utf8 && c > '\u{7ff}' => 1.0,
                _ => -1.0,
            }
        } else if !one_script {
            -0.7
        } else if !one_case {
            -0.4
        } else {
            match script(c) {
                Script::Latin if foreign => -0.3,
                Script::Latin if letters.len() == 1 => 0.1,
                Script::Latin => usual * latin(&letters, place),
                Script::Cyrillic => usual * cyrillic(c, &letters),
                Script::Other if matches!(c, '\u{250}'..='\u{2ff}') => -0.5,
                Script::Other if page == Page::Utf8 => 1.0,
                Script::Other => -0.5,
            }
        });
    }
}

/// What a letter of a word is worth: how usual it is in the languages that have it, and in such a place.
fn latin(word: &[char], at: usize) -> f64 {
    let small = |i: usize| Some(word.get(i)?.to_lowercase().next().unwrap_or('?'));
    let before = at.checked_sub(1).and_then(small);
    let after = small(at + 1);
    match small(at).unwrap_or('?') {
        'ß' if !before.is_some_and(|c| "aeiouyäöü".contains(c)) => -0.2,
        'ç' if after.is_some_and(|c| !"aouãõâôáóúà".contains(c)) => 0.3,
        'é' | 'ä' | 'ö' | 'ü' | 'ß' => 0.95,
        'á' | 'í' | 'ó' | 'ñ' | 'ç' | 'è' | 'å' | 'ø' | 'æ' | 'ã' => 0.9,
        'à' | 'ê' | 'â' | 'î' | 'ô' | 'û' | 'ë' | 'ï' | 'ú' => 0.85,
        'ł' | 'ń' | 'ą' | 'ę' | 'ś' | 'ż' | 'ź' | 'ć' | 'č' | 'ř' | 'š' | 'ž' | 'ě' | 'ů' => {
            0.8
        }
        'ì' | 'ò' | 'ù' | 'œ' | 'õ' => 0.65,
        'ƒ' | 'þ' | 'ð' | 'ı' | 'ª' | 'º' | 'µ' | 'ÿ' => 0.1,
        'ý' => 0.5,
        _ => 0.7,
    }
}

fn cyrillic(c: char, word: &[char]) -> f64 {
    const VOWELS: &str = "аеёиоуыэюяіїє";
    const FREQUENT: &str = "оеаинтсрвлкмдпу";
    let small = |c: char| c.to_lowercase().next().unwrap_or(c);
    let speakable = word.iter().any(|&c| VOWELS.contains(small(c)));
    let value = match small(c) {
        c if FREQUENT.contains(c) => 1.0,
        'а'..='я' | 'ё' => 0.7,
        _ => 0.4,
    };
    value
        * match word.len() {
            1 => 0.3,
            2 => 0.7,
            _ if !speakable => 0.3,
            _ => 1.0,
        }
}
