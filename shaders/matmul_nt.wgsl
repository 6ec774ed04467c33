// Matrix product of rows with rows, summed over batches: the weight gradient of a convolution.
//
//   c[g][m][n] = sum_z sum_k a[z, g][m][k] * b[z, g][n][k]
//   With a the gradient of the output [images][groups, m][pixels] and b the columns of im2col.wgsl, c is
//   the gradient of the weights [groups, m][channels * kernel_h * kernel_w].
//
// Ladder, on SwiftShader: 4x4 results an invocation, 8 loads for 16 multiply-adds, 1.3 GFLOP/s; 8x16, 24
// loads for 128. The sum is taken in one order by one invocation: two runs give the same bits, which
// atomics would not.
//
//   a  [z][groups][m][a_stride]
//   b  [z][groups][n][b_stride]
//   c  [groups][m][n]
//
// An invocation computes 8 rows by 16 columns of one group; x counts tiles, row by row, y groups.

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
        a[base + min(row, last) * stride + k],
        a[base + min(row + 1u, last) * stride + k],
        a[base + min(row + 2u, last) * stride + k],
        a[base + min(row + 3u, last) * stride + k],
    );
}

fn load_b(base: u32, column: u32, k: u32) -> vec4f {
    let last = params.n - 1u;
    let stride = params.b_stride;
    return vec4f(
        b[base + min(column, last) * stride + k],
        b[base + min(column + 1u, last) * stride + k],
        b[base + min(column + 2u, last) * stride + k],
        b[base + min(column + 3u, last) * stride + k],
    );
}

fn outer(rows: vec4f, columns: vec4f) -> mat4x4f {
    return mat4x4f(rows.x * columns, rows.y * columns, rows.z * columns, rows.w * columns);
}

fn store_c(group: u32, row: u32, column: u32, values: vec4f) {
    if row >= params.m {
        return;
    }
    let at = (group * params.m + row) * params.n + column;
    for (var i = 0u; i < 4u; i++) {
        if column + i < params.n {
            c[at + i] = values[i];
        }
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let column_tiles = (params.n + 15u) / 16u;
    let row_tile = id.x / column_tiles;
    let row = row_tile * 8u;
    let column = (id.x - row_tile * column_tiles) * 16u;
    let group = id.y;
    if row >= params.m {
        return;
    }
    let batches = params.batches;
    let depth = params.k;
    var t00 = mat4x4f();
    var t01 = mat4x4f();
    var t02 = mat4x4f();
    var t03 = mat4x4f();
    var t10 = mat4x4f();
    var t11 = mat4x4f();
    var t12 = mat4x4f();
    var t13 = mat4x4f();
    for (var z = 0u; z < batches; z++) {
        let base_a = (z * params.groups + group) * params.m * params.a_stride;
        let base_b = (z * params.groups + group) * params.n * params.b_stride;
        for (var k = 0u; k < depth; k++) {
            let w0 = load_a(base_a, row, k);
            let w1 = load_a(base_a, row + 4u, k);
            let x0 = load_b(base_b, column, k);
            let x1 = load_b(base_b, column + 4u, k);
            let x2 = load_b(base_b, column + 8u, k);
            let x3 = load_b(base_b, column + 12u, k);
            t00 += outer(w0, x0);
            t01 += outer(w0, x1);
            t02 += outer(w0, x2);
            t03 += outer(w0, x3);
            t10 += outer(w1, x0);
            t11 += outer(w1, x1);
            t12 += outer(w1, x2);
            t13 += outer(w1, x3);
        }
    }
    // Through memory: written out, the stores would be most of what is to be compiled.
    var tiles = array<mat4x4f, 8>(t00, t01, t02, t03, t10, t11, t12, t13);
    for (var i = 0u; i < 32u; i++) {
        let tile = i / 4u;
        store_c(group, row + tile / 4u * 4u + i % 4u, column + tile % 4u * 4u, tiles[tile][i % 4u]);
    }
}
