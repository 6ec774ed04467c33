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

    /// The operand of LONG1: a length, then that many bytes of two's complement.
    pub(super) fn long(&mut self) -> Result<i64> {
        let len = usize::from(self.byte()?);
        if len > 8 {
            return Err("its pickle has an integer of more than 64 bits".into());
        }
        let bytes = self.bytes[self.at..].get(..len).ok_or(CUT)?;
        let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
        let mut wide = [if negative { 0xff } else { 0 }; 8];
        wide[..len].copy_from_slice(bytes);
        self.at += len;
        Ok(i64::from_le_bytes(wide))
    }

    /// `len` bytes of UTF-8: where they begin and end.
    pub(super) fn text(&mut self, len: usize) -> Result<(usize, usize)> {
        let bytes = self.bytes[self.at..].get(..len).ok_or(CUT)?;
        std::str::from_utf8(bytes).map_err(|_| "its pickle has a string that is not UTF-8")?;
        let begin = self.at;
        self.at += len;
        Ok((begin, self.at))
    }

    /// A string that [`Self::text`] has found good.
    pub(super) fn str(&self, begin: usize, end: usize) -> &'a str {
        std::str::from_utf8(&self.bytes[begin..end]).unwrap_or_default()
    }

    /// The bytes up to the next line feed, which is passed over.
    pub(super) fn line(&mut self) -> Result<&'a str> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|b| *b == b'\n').ok_or(CUT)?;
        self.at += len + 1;
        std::str::from_utf8(&rest[..len])
            .map_err(|_| "its pickle has a name that is not UTF-8".into())
    }
}
