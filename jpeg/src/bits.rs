//! Bits of entropy-coded data.

/// Reads bits, highest first, up to the next marker or the end of the data; beyond it come zeros, which
/// [`Bits::is_short`] reports.
pub struct Bits<'a> {
    data: &'a [u8],
    /// The next byte; at a marker, its `FF`.
    pub at: usize,
    /// The bits at hand, at the top.
    held: u64,
    /// How many.
    count: u32,
    /// How many zeros were added at the end.
    added: u32,
}

impl<'a> Bits<'a> {
    pub const fn new(data: &'a [u8], at: usize) -> Self {
        Self {
            data,
            at,
            held: 0,
            count: 0,
            added: 0,
        }
    }

    /// Makes at least 32 bits be at hand.
    #[inline]
    pub fn fill(&mut self) {
        if self.count >= 32 {
            return;
        }
        if let Some(next) = self.data.get(self.at..).and_then(<[u8]>::first_chunk::<8>) {
            let word = u64::from_be_bytes(*next);
            // The classic test for a zero byte, on the complement: whether any of the eight is FF.
            let other = !word;
            if other.wrapping_sub(0x0101_0101_0101_0101) & word & 0x8080_8080_8080_8080 == 0 {
                let bytes = (64 - self.count) / 8;
                // What is beyond whole bytes comes again with the next fill, and is the same.
                self.held |= word >> self.count;
                self.count += 8 * bytes;
                self.at += bytes as usize;
                return;
            }
        }
        self.fill_by_bytes();
    }

    fn fill_by_bytes(&mut self) {
        // Bits beyond `count` may be left of a fast fill.
        if self.count < 64 {
            self.held &= !(u64::MAX >> self.count);
        }
        while self.count <= 56 {
            match self.next_byte() {
                Some(byte) => self.held |= u64::from(byte) << (56 - self.count),
                None => self.added += 8,
            }
            self.count += 8;
        }
    }

    fn next_byte(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.at)?;
        if byte != 0xff {
            self.at += 1;
            return Some(byte);
        }
        let mut after = self.at + 1;
        while self.data.get(after) == Some(&0xff) {
            after += 1;
        }
        if self.data.get(after) == Some(&0) {
            self.at = after + 1;
            return Some(0xff);
        }
        None
    }

    /// The next `n` bits, 1 to 32, which stay.
    #[inline]
    pub const fn peek(&self, n: u32) -> u32 {
        (self.held >> (64 - n)) as u32
    }

    #[inline]
    pub const fn skip(&mut self, n: u32) {
        self.held <<= n;
        self.count -= n;
    }

    /// The next `n` bits, 0 to 16, as a number. They must be at hand.
    #[inline]
    pub const fn take(&mut self, n: u32) -> u32 {
        if n == 0 {
            return 0;
        }
        let bits = self.peek(n);
        self.skip(n);
        bits
    }

    /// One bit, wherever it is.
    #[inline]
    pub fn bit(&mut self) -> bool {
        if self.count == 0 {
            self.fill();
        }
        self.take(1) != 0
    }

    /// The next `n` bits, 0 to 15, as a signed number of that many bits. T.81, F.2.2.1, "EXTEND". They must
    /// be at hand.
    #[inline]
    pub const fn signed(&mut self, n: u32) -> i32 {
        if n == 0 {
            return 0;
        }
        let bits = self.take(n) as i32;
        if bits >> (n - 1) == 0 {
            bits - (1 << n) + 1
        } else {
            bits
        }
    }

    /// Whether bits were taken that the file does not have.
    #[inline]
    pub const fn is_short(&self) -> bool {
        self.added > self.count
    }

    /// About where the last bit was taken: right where no `FF` is near.
    pub const fn taken(&self) -> usize {
        self.at - (self.count.saturating_sub(self.added) / 8) as usize
    }
}
