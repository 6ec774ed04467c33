// What the rules share: the table of segments, and which of them a block is of.
//
// The kernel declares `params.cells`, `params.segments` and the binding `table`, [words]: from `cells` on for every 64
// blocks the segment that the first of them is of; from `segments` on six words a segment, in the order of Segment, and
// behind the last a start that no block reaches.

const WORKGROUP: u32 = 64u;
const CELL: u32 = 64u;
const WORDS: u32 = 6u;

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

// table[index].
fn load_table(index: u32) -> u32 {
    return table[index];
}

// table[index], as the float that it is.
fn load_number(index: u32) -> f32 {
    return bitcast<f32>(table[index]);
}

// The last segment that begins at the block or before it. They stand in order, so the cell's first is it or a few
// before it: a search by halving was half of the kernel's time on a software GPU.
fn segment_of(block: u32) -> Segment {
    var at = params.segments + WORDS * load_table(params.cells + block / CELL);
    while load_table(at + WORDS) <= block {
        at += WORDS;
    }
    return Segment(
        load_table(at),
        load_table(at + 1u),
        load_number(at + 2u),
        load_number(at + 3u),
        load_number(at + 4u),
        load_number(at + 5u),
    );
}
