// What the rules share: the table of segments, and which of them a block is of.
//
// The kernel declares `params.first_segment`, `params.segments` and the binding `table`.

const WORKGROUP: u32 = 64u;

// A tensor's place and its step; the twin is Rust's SegmentStep.
struct Segment {
    // Its first block of 256 values.
    start: u32,
    // Whether it takes a step: 0 or 1.
    trained: u32,
    shrink: f32,
    decay: f32,
    rate: f32,
    root: f32,
}

// The last segment that begins at the block or before it, found by halving; they stand in order.
fn segment_of(block: u32) -> Segment {
    var low = params.first_segment;
    var count = params.segments;
    while count > 1u {
        let half = count / 2u;
        if table[low + half].start <= block {
            low += half;
            count -= half;
        } else {
            count = half;
        }
    }
    return table[low];
}
