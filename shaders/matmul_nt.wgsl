// Matrix product of rows with rows, summed over batches: the weight gradient of a convolution.
//
//   c[g][m][n] = sum_z sum_k a[z, g][m][k] * b[z, g][n][k]
//   With a the gradient of the output [images][groups, m][pixels] and b the columns of im2col.wgsl, c is
//   the gradient of the weights [groups, m][channels * kernel_h * kernel_w].
//
// Ladder: one result an invocation; 4x4 results, so that 8 loads of four feed 64 multiply-adds. The sum
// is taken in one order by one invocation: two runs give the same bits, which atomics would not.
//
//   a  [z][groups][m][a_stride]
//   b  [z][groups][n][b_stride]
//   c  [groups][m][n]
//
// An invocation computes 4 rows by 4 columns of one group; x counts tiles, row by row, y groups.

const WORKGROUP: u32 = 32u;

struct Params {
    m: u32,
    n: u32,
    k: u32,
    batches: u32,
    groups: u32,
    a_stride: u32,
    b_stride: u32,
}

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> c: array<f32>;
@group(0) @binding(3) var<storage, read> params: Params;

// One k of four rows: rows past the last repeat it, and what comes of them is dropped.
fn load_a(base: u32, row: u32, k: u32) -> vec4f {
    let last = params.m - 1u;
    let stride = params.a_stride;
    return vec4f(
        a[base + row * stride + k],
        a[base + min(row + 1u, last) * stride + k],
        a[base + min(row + 2u, last) * stride + k],
        a[base + min(row + 3u, last) * stride + k],
    );
}

fn load_b(base: u32, column: u32, k: u32) -> vec4f {
    let last = params.n - 1u;
    let stride = params.b_stride;
    return vec4f(
        b[base + column * stride + k],
        b[base + min(column + 1u, last) * stride + k],
        b[base + min(column + 2u, last) * stride + k],
        b[base + min(column + 3u, last) * stride + k],
    );
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let column_tiles = (params.n + 3u) / 4u;
    let row_tile = id.x / column_tiles;
    let row = row_tile * 4u;
    let column = (id.x - row_tile * column_tiles) * 4u;
    let group = id.y;
    if row >= params.m {
        return;
    }
    var total = mat4x4f();
    for (var z = 0u; z < params.batches; z++) {
        let base_a = (z * params.groups + group) * params.m * params.a_stride;
        let base_b = (z * params.groups + group) * params.n * params.b_stride;
        // A partial sum a batch keeps the rounding error at that of its length.
        var sum = mat4x4f();
        for (var k = 0u; k < params.k; k++) {
            let rows = load_a(base_a, row, k);
            let columns = load_b(base_b, column, k);
            sum += mat4x4f(rows.x * columns, rows.y * columns, rows.z * columns, rows.w * columns);
        }
        total += sum;
    }
    for (var i = 0u; i < 4u; i++) {
        for (var j = 0u; j < 4u; j++) {
            if row + i < params.m && column + j < params.n {
                c[(group * params.m + row + i) * params.n + column + j] = total[i][j];
            }
        }
    }
}
