// Batch norm of images that lie channels last: parameters and tile of all its kernels.
//
// A row is a pixel, a column four channels. Workgroups lie in x over the columns; in y over slabs of rows where
// the rows are summed up, else over blocks of ROWS * DEPTH rows. Eight columns are 128 bytes, a line of a GPU's
// cache; every channel's coefficients are read once for DEPTH rows, whose loads are in flight together.

const COLUMNS: u32 = 8u;
const ROWS: u32 = 32u;
const DEPTH: u32 = 4u;

const FLAG_RESIDUAL: u32 = 1u;
const FLAG_RELU: u32 = 2u;
const FLAG_MASKED: u32 = 4u;

struct Params {
    rows: u32,
    columns: u32,
    slabs: u32,
    slab_rows: u32,
    flags: u32,
    eps: f32,
}

fn has(flag: u32) -> bool {
    return (params.flags & flag) != 0u;
}

// x, y, dy, dx [row][column]; the caller stays inside.
fn at(row: u32, column: u32) -> u32 {
    return row * params.columns + column;
}

// Rows of a slab; the last may have fewer.
fn rows_of(slab: u32) -> u32 {
    return min(params.slab_rows, params.rows - slab * params.slab_rows);
}

// partials [slab][2][column].
fn partial(slab: u32, which: u32, column: u32) -> u32 {
    return (slab * 2u + which) * params.columns + column;
}
