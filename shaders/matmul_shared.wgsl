// Batched matrix product with the epilogue of a convolution, for GPUs.
//
//   c[z][m][n] = act(sum_k a[z % a_batches][k][m] * b[z][k][n] + bias[z % a_batches][m] + residual[z][m][n])
//
// The product, the bindings, the layouts and the parameters of matmul_registers.wgsl. A workgroup's
// threads share each slice of a and b through workgroup memory, so that a value that TILE_M or TILE_N
// results need is fetched once (Volkov and Demmel 2008, "Benchmarking GPUs to tune dense linear algebra").
//
// Ladder: one result a thread; TILE_M x TILE_N a workgroup through workgroup memory; ROWS x COLUMNS results
// a thread in registers; four columns a load.
//
//   a         [a_batches][k][m4]  vec4 along m, rows padded with zeros to whole tiles
//   b         [z][k][b_stride]    columns from n on count as zero
//   bias      [a_batches][m]      read if FLAG_BIAS
//   residual  like c              read if FLAG_RESIDUAL
//   c         [z][m][c_stride]
//
// A workgroup computes TILE_M rows by TILE_N columns, a thread ROWS4 * 4 by COLUMNS4 * 4 of them; x counts
// column tiles, y row tiles, z batches.
//
// lib/: matmul.wgsl, shared_tile.wgsl, epilogue.wgsl

fn load_a(batch: u32, k: u32, row4: u32) -> vec4f {
    if k >= params.k || row4 >= params.m4 {
        return vec4f();
    }
    return vec4f(a[((batch % params.a_batches) * params.k + k) * params.m4 + row4]);
}

fn load_b(batch: u32, k: u32, column: u32) -> vec4f {
    if k >= params.k {
        return vec4f();
    }
    let at = (batch * params.k + k) * params.b_stride + column;
    var values = vec4f();
    if column < params.n {
        values.x = b[at];
    }
    if column + 1u < params.n {
        values.y = b[at + 1u];
    }
    if column + 2u < params.n {
        values.z = b[at + 2u];
    }
    if column + 3u < params.n {
        values.w = b[at + 3u];
    }
    return values;
}

fn store_c(batch: u32, row: u32, column: u32, values: vec4f) {
    if row >= params.m {
        return;
    }
    let at = (batch * params.m + row) * params.c_stride + column;
    var sum = values;
    if (params.flags & FLAG_BIAS) != 0u {
        sum += bias[(batch % params.a_batches) * params.m + row];
    }
    for (var i = 0u; i < 4u; i++) {
        if column + i < params.n {
            c[at + i] = finish(sum[i], at + i);
        }
    }
}

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let first_row4 = group.y * TILE_M4;
    let first_column = group.x * TILE_N;
    let batch = group.z;
    // tile[row][columns in fours]
    var tile: array<array<vec4f, COLUMNS4>, ROWS4 * 4u>;
    for (var first_k = 0u; first_k < params.k; first_k += TILE_K) {
        for (var i = thread; i < TILE_K * TILE_M4; i += THREADS) {
            slice_a[i] = load_a(batch, first_k + i / TILE_M4, first_row4 + i % TILE_M4);
        }
        for (var i = thread; i < TILE_K * TILE_N4; i += THREADS) {
            slice_b[i] = load_b(batch, first_k + i / TILE_N4, first_column + i % TILE_N4 * 4u);
        }
        workgroupBarrier();
        for (var k = 0u; k < TILE_K; k++) {
            var columns: array<vec4f, COLUMNS4>;
            for (var j = 0u; j < COLUMNS4; j++) {
                columns[j] = slice_b[k * TILE_N4 + j * THREADS_N + local.x];
            }
            for (var i = 0u; i < ROWS4; i++) {
                let rows = slice_a[k * TILE_M4 + i * THREADS_M + local.y];
                for (var j = 0u; j < COLUMNS4; j++) {
                    tile[i * 4u][j] += rows.x * columns[j];
                    tile[i * 4u + 1u][j] += rows.y * columns[j];
                    tile[i * 4u + 2u][j] += rows.z * columns[j];
                    tile[i * 4u + 3u][j] += rows.w * columns[j];
                }
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < ROWS4 * 4u; i++) {
        let row = (first_row4 + i / 4u * THREADS_M + local.y) * 4u + i % 4u;
        for (var j = 0u; j < COLUMNS4; j++) {
            store_c(batch, row, first_column + (j * THREADS_N + local.x) * 4u, tile[i][j]);
        }
    }
}
