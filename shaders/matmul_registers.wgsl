// Batched matrix product with the epilogue of a convolution, for adapters that run on a CPU.
//
//   c[z][m][n] = act(sum_k a[z % a_batches][k][m] * b[z][k][n] + bias[z % a_batches][m] + residual[z][m][n])
//
// Carries 1x1 convolutions, im2col convolutions and the products of Winograd's algorithm, all of which
// are this product (Chellapilla et al. 2006, "High performance convolutional neural networks for
// document processing"; Lavin and Gray 2015, arXiv:1509.09308, section 4).
//
// Ladder, on SwiftShader with two cores: 4x4 a invocation 2.3 GFLOP/s, 8x8 4.6, 16x16 7.0. A load costs
// some 25 instructions a value there and a barrier suspends a coroutine, so there is no shared memory
// and the tile is as large as still pays: 32 loads for 256 multiply-adds. 32x32 spills and halves it.
//
//   a         [a_batches][k][m4]  vec4 along m, rows padded with zeros to whole tiles
//   b         [z][k][b_stride]    columns from n on are read as they are and dropped
//   bias      [a_batches][m]      read if FLAG_BIAS
//   residual  like c              read if FLAG_RESIDUAL
//   c         [z][m][c_stride]
//
// An invocation computes 16 rows by 16 columns; x counts tiles, row by row, y batches.
//
// lib/: matmul.wgsl, matmul_registers.wgsl, epilogue.wgsl

const WORKGROUP: u32 = 8u;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // 1. index to tile, 2. tile to row and column: neighbours are columns while there are any, then rows,
    // so that four lanes have work even where an image has four pixels left.
    let column_tiles = (params.n + 15u) / 16u;
    let row_tile = id.x / column_tiles;
    let column = (id.x - row_tile * column_tiles) * 16u;
    let row = row_tile * 16u;
    let batch = id.y;
    if row >= params.m {
        return;
    }
    let last = arrayLength(&b) - 1u;
    var at_a = (batch % params.a_batches) * params.k * params.m4 + row / 4u;
    var at_b = batch * params.k * params.b_stride + column;
    // Named, not an array: an array indexed in a loop lives in memory, a value lives in registers.
    var t00 = mat4x4f();
    var t01 = mat4x4f();
    var t02 = mat4x4f();
    var t03 = mat4x4f();
    var t10 = mat4x4f();
    var t11 = mat4x4f();
    var t12 = mat4x4f();
    var t13 = mat4x4f();
    var t20 = mat4x4f();
    var t21 = mat4x4f();
    var t22 = mat4x4f();
    var t23 = mat4x4f();
    var t30 = mat4x4f();
    var t31 = mat4x4f();
    var t32 = mat4x4f();
    var t33 = mat4x4f();
    // Read once: a value in a buffer that another invocation might write is read again at every turn.
    let depth = params.k;
    let step_a = params.m4;
    let step_b = params.b_stride;
    for (var k = 0u; k < depth; k++) {
        let x0 = load_b(at_b, last);
        let x1 = load_b(at_b + 4u, last);
        let x2 = load_b(at_b + 8u, last);
        let x3 = load_b(at_b + 12u, last);
        let w0 = a[at_a];
        let w1 = a[at_a + 1u];
        let w2 = a[at_a + 2u];
        let w3 = a[at_a + 3u];
        t00 += outer(w0, x0);
        t01 += outer(w0, x1);
        t02 += outer(w0, x2);
        t03 += outer(w0, x3);
        t10 += outer(w1, x0);
        t11 += outer(w1, x1);
        t12 += outer(w1, x2);
        t13 += outer(w1, x3);
        t20 += outer(w2, x0);
        t21 += outer(w2, x1);
        t22 += outer(w2, x2);
        t23 += outer(w2, x3);
        t30 += outer(w3, x0);
        t31 += outer(w3, x1);
        t32 += outer(w3, x2);
        t33 += outer(w3, x3);
        at_a += step_a;
        at_b += step_b;
    }
    // The tile goes through memory here: 256 stores written out take SwiftShader three seconds to compile.
    var tiles = array<mat4x4f, 16>(
        t00, t01, t02, t03, t10, t11, t12, t13, t20, t21, t22, t23, t30, t31, t32, t33,
    );
    for (var i = 0u; i < 64u; i++) {
        let tile = i / 4u;
        let first = column + tile % 4u * 4u;
        if first < params.n {
            store_c(batch, row + tile / 4u * 4u + i % 4u, first, tiles[tile][i % 4u]);
        }
    }
}
