// Batch norm, backward, 3 of 3: the gradient of each value, and of the residual.
//
//   dx = a dy + b (x - mean) + c,  dresidual = dy    with dy = 0 where a ReLU gave y = 0
//
//   0  x             [N,H,W,C]  read
//   1  dy            [N,H,W,C]  read
//   2  y             [N,H,W,C]  read where the flag of the ReLU is set, else anything
//   3  mean          [C]        read
//   4  coefficients  [3, C]     read: norm_gradient_merge.wgsl
//   5  dx            [N,H,W,C]  written whole
//   6  dresidual     [N,H,W,C]  written whole where the flag is set, else not touched
//   7  params
//
// An invocation computes four rows of four channels, 32 rows apart.
// lib/: norm.wgsl

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> dresidual: array<vec4f>;
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
    let a = coefficients[column];
    let b = coefficients[params.columns + column];
    let c = coefficients[2u * params.columns + column];
    let with_relu = has(FLAG_RELU);
    let with_residual = has(FLAG_MASKED);

    let blocks = (params.rows + ROWS * DEPTH - 1u) / (ROWS * DEPTH);
    for (var block = group.y; block < blocks; block += groups.y) {
        let first = block * ROWS * DEPTH + local.y;
        for (var i = 0u; i < DEPTH; i++) {
            let row = first + i * ROWS;
            if row < params.rows {
                let index = at(row, column);
                var gradient = dy[index];
                if with_relu {
                    gradient = select(vec4f(), gradient, y[index] > vec4f());
                }
                if with_residual {
                    dresidual[index] = gradient;
                }
                dx[index] = a * gradient + (b * (x[index] - centre) + c);
            }
        }
    }
}
