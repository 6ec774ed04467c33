//! Where each tensor of a list lies in flat buffers.

/// Values: every segment begins at a multiple of it, and what is behind a segment's values up to the next multiple is
/// nobody's. A workgroup of the kernels here takes one block, so none has two segments.
pub const BLOCK: usize = 256;

/// One tensor's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Which buffer.
    pub chunk: usize,
    /// Its first value there.
    pub start: usize,
    /// Values.
    pub length: usize,
}

impl Segment {
    /// Blocks that it takes.
    #[must_use]
    pub const fn blocks(&self) -> usize {
        self.length.div_ceil(BLOCK)
    }
}

/// The places of a list of tensors, in as few buffers as their size allows, in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segments {
    all: Vec<Segment>,
    /// Values of each buffer, padding included.
    chunks: Vec<usize>,
}

impl Segments {
    /// For tensors of these lengths, in buffers of `most` values each; `None` where one tensor is longer than that, or
    /// empty, which no buffer is.
    #[must_use]
    pub fn new(lengths: impl IntoIterator<Item = usize>, most: usize) -> Option<Self> {
        let mut all = Vec::new();
        let mut chunks = vec![0];
        for length in lengths {
            let padded = length.next_multiple_of(BLOCK);
            if length == 0 || padded > most {
                return None;
            }
            if chunks.last().is_none_or(|used| used + padded > most) {
                chunks.push(0);
            }
            let chunk = chunks.len() - 1;
            let start = chunks[chunk];
            all.push(Segment {
                chunk,
                start,
                length,
            });
            chunks[chunk] += padded;
        }
        (!all.is_empty()).then_some(Self { all, chunks })
    }

    /// The place of each tensor.
    #[must_use]
    pub fn all(&self) -> &[Segment] {
        &self.all
    }

    /// Values of each buffer, padding included.
    #[must_use]
    pub fn chunks(&self) -> &[usize] {
        &self.chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_lie_in_order_each_on_a_block_of_its_own() {
        let segments = Segments::new([1, 256, 257, 5], 4096).expect("short enough");
        let starts: Vec<usize> = segments.all().iter().map(|s| s.start).collect();
        assert_eq!(starts, [0, 256, 512, 1024]);
        assert_eq!(segments.chunks(), [1280]);
        let blocks: Vec<usize> = segments.all().iter().map(Segment::blocks).collect();
        assert_eq!(blocks, [1, 1, 2, 1]);
    }

    #[test]
    fn what_does_not_fit_begins_another_buffer_and_what_fits_none_is_refused() {
        let segments = Segments::new([300, 512, 1], 1024).expect("short enough");
        let places: Vec<[usize; 2]> = (segments.all().iter())
            .map(|s| [s.chunk, s.start])
            .collect();
        assert_eq!(places, [[0, 0], [0, 512], [1, 0]]);
        assert_eq!(segments.chunks(), [1024, 256]);
        assert_eq!(Segments::new([1, 1025], 1024), None);
        assert_eq!(Segments::new([1, 0], 1024), None);
        assert_eq!(Segments::new([], 1024), None);
    }
}
