//! The bytes of a pickle and the place reached in them.

/// A reason, complete.
pub(super) type Result<T> = std::result::Result<T, String>;

const CUT: &str = "its pickle is cut short";

/// Reads operands; a read beyond the end is an error.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    /// Never beyond the end.
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The place of the next byte.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn byte(&mut self) -> Result<u8> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.bytes[self.at..].first_chunk().ok_or(CUT)?;
        self.at += N;
        Ok(*bytes)
    }

    /// A length in so many bytes, little-endian.
    pub(super) fn length(&mut self, bytes: usize) -> Result<usize> {
        let mut wide = [0; 8];
        wide[..bytes].copy_from_slice(self.take(bytes)?);
        usize::try_from(u64::from_le_bytes(wide)).map_err(|_| CUT.into())
    }

    /// The next `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let bytes = self.bytes[self.at..].get(..len).ok_or(CUT)?;
        self.at += len;
        Ok(bytes)
    }

    /// An integer of `len` bytes of two's complement; none if it has more than 64 bits.
    pub(super) fn long(&mut self, len: usize) -> Result<Option<i64>> {
        let bytes = self.take(len)?;
        if len > 8 {
            return Ok(None);
        }
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..len].copy_from_slice(bytes);
        Ok(Some(i64::from_le_bytes(wide)))
    }

    /// `len` bytes of UTF-8: where they begin and end; none if they are something else.
    pub(super) fn text(&mut self, len: usize) -> Result<Option<(usize, usize)>> {
        let begin = self.at;
        let bytes = self.take(len)?;
        let sound = std::str::from_utf8(bytes).is_ok();
        Ok(sound.then_some((begin, self.at)))
    }

    /// A string that [`Self::text`] has found good.
    pub(super) fn str(&self, begin: usize, end: usize) -> &'a str {
        std::str::from_utf8(&self.bytes[begin..end]).unwrap_or_default()
    }

    /// The bytes of a span that was taken before.
    pub(super) fn bytes(&self, begin: usize, end: usize) -> &'a [u8] {
        self.bytes.get(begin..end).unwrap_or_default()
    }

    /// The bytes up to the next line feed, which is passed over.
    pub(super) fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|b| *b == b'\n').ok_or(CUT)?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len])
            .map_err(|_| "its pickle has a name that is not UTF-8".into())
    }

    /// The same as a string in the pickle, without the quotes that it may have: where it begins and ends; none if
    /// it has escapes, which a tensor's name never has.
    pub(super) fn quoted_line(&mut self) -> Result<Option<(usize, usize)>> {
        let begin = self.at;
        let line = self.line()?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.contains('\\') {
            return Ok(None);
        }
        let quote = line.starts_with(['\'', '"']) && line.len() > 1;
        let skip = usize::from(quote);
        Ok(Some((begin + skip, begin + line.len() - skip)))
    }
}
