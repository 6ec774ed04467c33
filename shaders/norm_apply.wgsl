// Batch norm, forward, 3 of 3: each value by the statistics of its channel, with what follows it.
//
//   y = act((x - mean) / sqrt(variance + eps) * gamma + beta + residual)
//
// Ioffe and Szegedy 2015 (arXiv:1502.03167), algorithm 1. x - mean comes first: x * scale + shift would
// cancel where the mean is far from zero.
//
//   0  x         [N,H,W,C]  read
//   1  residual  [N,H,W,C]  read where the flag is set, else anything
//   2  gamma     [C]        read
//   3  beta      [C]        read
//   4  mean      [C]        read
//   5  variance  [C]        read
//   6  y         [N,H,W,C]  written whole
//   7  params
//
// An invocation computes four rows of four channels, 32 rows apart.
// lib/: norm.wgsl

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> residual: array<vec4f>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(3) var<storage, read> beta: array<vec4f>;
@group(0) @binding(4) var<storage, read> mean: array<vec4f>;
@group(0) @binding(5) var<storage, read> variance: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(7) var<storage, read> params: Params;

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(num_workgroups) groups: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let column = group.x * COLUMNS + local.x;
    if column >= params.columns {
        return;
    }
    let centre = mean[column];
    let scale = gamma[column] * inverseSqrt(variance[column] + params.eps);
    let shift = beta[column];
    let with_residual = has(FLAG_RESIDUAL);
    let least = select(-0x1.fffffep+127f, 0.0f, has(FLAG_RELU));

    let blocks = (params.rows + ROWS * DEPTH - 1u) / (ROWS * DEPTH);
    for (var block = group.y; block < blocks; block += groups.y) {
        let first = block * ROWS * DEPTH + local.y;
        for (var i = 0u; i < DEPTH; i++) {
            let row = first + i * ROWS;
            if row < params.rows {
                let index = at(row, column);
                var value = (x[index] - centre) * scale + shift;
                if with_residual {
                    value += residual[index];
                }
                y[index] = max(value, vec4f(least));
            }
        }
    }
}
