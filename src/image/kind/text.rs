//! Kinds of text.

use super::Kind;

/// HTML, SVG or other XML, told by its first element: comments and declarations may stand before it.
fn of_markup(mut rest: &[u8]) -> Kind {
    // What a server says of an error is often a piece of a page.
    const PIECES: &[&[u8]] = &[
        b"html",
        b"head",
        b"body",
        b"script",
        b"title",
        b"meta",
        b"link",
        b"style",
        b"h1",
        b"h2",
        b"h3",
        b"h4",
        b"p",
        b"div",
        b"span",
        b"br",
        b"hr",
        b"b",
        b"i",
        b"a",
        b"center",
        b"font",
        b"table",
        b"pre",
        b"img",
        b"form",
        b"iframe",
        b"noscript",
        b"strong",
        b"em",
        b"ul",
        b"ol",
        b"li",
    ];
    let mut declared = false;
    loop {
        let lower = rest[..rest.len().min(64)].to_ascii_lowercase();
        let end: &[u8] = if lower.starts_with(b"<!doctype html") {
            return Kind::Html;
        } else if lower.starts_with(b"<!doctype svg") {
            return Kind::Svg;
        } else if lower.starts_with(b"<!--") {
            b"-->"
        } else if lower.starts_with(b"<?") {
            declared = true;
            b"?>"
        } else if lower.starts_with(b"<!") {
            declared = true;
            b">"
        } else {
            break;
        };
        let Some(at) = rest.windows(end.len()).position(|w| w == end) else {
            return if declared { Kind::Xml } else { Kind::Html };
        };
        rest = rest[at + end.len()..].trim_ascii_start();
    }
    let head = rest[..rest.len().min(1024)].to_ascii_lowercase();
    let name = head.strip_prefix(b"<").unwrap_or_default();
    let end = name
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && *b != b':');
    let name = &name[..end.unwrap_or(name.len())];
    let says = |word: &[u8]| head.windows(word.len()).any(|w| w == word);
    if name == b"svg" || name.ends_with(b":svg") {
        Kind::Svg
    } else if !declared && PIECES.contains(&name) || says(b"<html") || says(b"<body") {
        Kind::Html
    } else if says(b"<svg") {
        Kind::Svg
    } else if declared || name.first().is_some_and(u8::is_ascii_alphabetic) {
        Kind::Xml
    } else {
        Kind::Text
    }
}

/// Text may begin with a byte order mark and blank lines.
pub(super) fn of_text(bytes: &[u8]) -> Kind {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        // Two bytes a letter, of which one is 0 where the letters are English.
        let letters = bytes[2..].iter().copied().filter(|&b| b != 0);
        let letters: Vec<u8> = letters.take(1024).collect();
        return match of_text(&letters) {
            kind @ (Kind::Svg | Kind::Html | Kind::Xml | Kind::Json | Kind::Csv) => kind,
            _ => Kind::Text,
        };
    }
    let start = bytes
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(bytes)
        .trim_ascii_start();
    if start.starts_with(b"<") {
        return of_markup(start);
    }
    let head = start[..start.len().min(1024)].to_ascii_lowercase();
    // A character may be cut at the end.
    let text = match std::str::from_utf8(&head) {
        Ok(text) => text,
        Err(e) if e.error_len().is_none() => {
            std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return Kind::Unknown,
    };
    if text.is_empty() || text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
        return Kind::Unknown;
    }
    let items = text.strip_prefix('[').map(str::trim_start);
    if text.starts_with('{') || items.is_some_and(|t| t.starts_with(['{', '"'])) {
        return Kind::Json;
    }
    if text.starts_with("#define ") && text.contains("_width ") {
        // XBM, which is a piece of C.
        return Kind::OtherImage;
    }
    // Two whole lines with as many commas or tabs each.
    let counts = |separator| {
        let mut lines = text.lines().map(|l| l.matches(separator).count());
        let first = lines.next().unwrap_or(0);
        first > 0 && lines.next() == Some(first)
    };
    if counts(',') || counts('\t') || counts(';') {
        Kind::Csv
    } else {
        Kind::Text
    }
}
