// Batched matrix product with the epilogue of a convolution, for adapters that run on a CPU, where there are few columns.
//
//   c[z][m][n] = act(sum_k a[z % a_batches][k][m] * b[z][k][n] + bias[z % a_batches][m] + residual[z][m][n])
//
// Carries 1x1 convolutions, im2col convolutions and the products of Winograd's algorithm, all of which
// are this product (Chellapilla et al. 2006, "High performance convolutional neural networks for
// document processing"; Lavin and Gray 2015, arXiv:1509.09308, section 4).
//
// The tile of matmul_registers.wgsl is wasted on fewer than 16 columns, which is what the last stage of
// a network leaves of one image. Bindings, layouts and parameters are the same.
//
//   a         [a_batches][k][m4]  vec4 along m, rows padded with zeros to whole tiles
//   b         [z][k][b_stride]    columns from n on are read as they are and dropped
//   bias      [a_batches][m]      read if FLAG_BIAS
//   residual  like c              read if FLAG_RESIDUAL
//   c         [z][m][c_stride]
//
// An invocation computes 32 rows by 4 columns; x counts tiles, row by row, y batches.
//
// lib/: matmul.wgsl, matmul_registers.wgsl, epilogue.wgsl

const WORKGROUP: u32 = 8u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // 1. index to tile, 2. tile to row and column: neighbours are columns while there are any, then rows,
    // so that four lanes have work even where an image has four pixels left.
    let column_tiles = (params.n + 3u) / 4u;
    let row_tile = id.x / column_tiles;
    let column = (id.x - row_tile * column_tiles) * 4u;
    let row = row_tile * 32u;
    let batch = id.y;
    if row >= params.m {
        return;
    }
    let last = arrayLength(&b) - 1u;
    var at_a = (batch % params.a_batches) * params.k * params.m4 + row / 4u;
    var at_b = batch * params.k * params.b_stride + column;
    // Named, not an array: an array indexed in a loop lives in memory, a value lives in registers.
    var t0 = mat4x4f();
    var t1 = mat4x4f();
    var t2 = mat4x4f();
    var t3 = mat4x4f();
    var t4 = mat4x4f();
    var t5 = mat4x4f();
    var t6 = mat4x4f();
    var t7 = mat4x4f();
    // Read once: a value in a buffer that another invocation might write is read again at every turn.
    let depth = params.k;
    let step_a = params.m4;
    let step_b = params.b_stride;
    for (var k = 0u; k < depth; k++) {
        let x = load_b(at_b, last);
        t0 += outer(a[at_a], x);
        t1 += outer(a[at_a + 1u], x);
        t2 += outer(a[at_a + 2u], x);
        t3 += outer(a[at_a + 3u], x);
        t4 += outer(a[at_a + 4u], x);
        t5 += outer(a[at_a + 5u], x);
        t6 += outer(a[at_a + 6u], x);
        t7 += outer(a[at_a + 7u], x);
        at_a += step_a;
        at_b += step_b;
    }
    // The tile goes through memory here: 128 stores written out take SwiftShader seconds to compile.
    var tiles = array<mat4x4f, 8>(t0, t1, t2, t3, t4, t5, t6, t7);
    for (var i = 0u; i < 32u; i++) {
        store_c(batch, row + i, column, tiles[i / 4u][i % 4u]);
    }
}
