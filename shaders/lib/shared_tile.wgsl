// The tile of a workgroup and its two slices in workgroup memory.

// Threads along n and along m, and what each computes, in fours.
const THREADS_N: u32 = 8u;
const THREADS_M: u32 = 8u;
const ROWS4: u32 = 2u;
const COLUMNS4: u32 = 2u;
// Slices of k in workgroup memory at a time.
const TILE_K: u32 = 16u;

const THREADS: u32 = THREADS_N * THREADS_M;
const TILE_M4: u32 = THREADS_M * ROWS4;
const TILE_N4: u32 = THREADS_N * COLUMNS4;
const TILE_M: u32 = TILE_M4 * 4u;
const TILE_N: u32 = TILE_N4 * 4u;

var<workgroup> slice_a: array<vec4f, TILE_K * TILE_M4>;
var<workgroup> slice_b: array<vec4f, TILE_K * TILE_N4>;
