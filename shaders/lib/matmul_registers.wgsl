// What the two register kernels of the matrix product share: fours of b, and of a row of results.

// The last row of the last batch may be followed by nothing: there the index stays inside.
fn load_b(at: u32, last: u32) -> vec4f {
    return vec4f(b[min(at, last)], b[min(at + 1u, last)], b[min(at + 2u, last)], b[min(at + 3u, last)]);
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
    if column + 4u <= params.n {
        if (params.flags & FLAG_RESIDUAL) != 0u {
            sum += vec4f(residual[at], residual[at + 1u], residual[at + 2u], residual[at + 3u]);
        }
        if (params.flags & FLAG_RELU) != 0u {
            sum = max(sum, vec4f());
        }
        c[at] = sum.x;
        c[at + 1u] = sum.y;
        c[at + 2u] = sum.z;
        c[at + 3u] = sum.w;
        return;
    }
    for (var i = 0u; i < params.n - column; i++) {
        c[at + i] = finish(sum[i], at + i);
    }
}

// Four rows by four columns, a row in each column of the matrix.
fn outer(rows: vec4f, columns: vec4f) -> mat4x4f {
    return mat4x4f(rows.x * columns, rows.y * columns, rows.z * columns, rows.w * columns);
}
