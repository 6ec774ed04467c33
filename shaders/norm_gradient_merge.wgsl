// Batch norm, backward, 2 of 3: the gradients of gamma and beta, and what the gradient of x is made of.
//
//   i = 1 / sqrt(variance + eps),  dbeta = sum dy,  dgamma = i sum dy (x - mean)
//   dx = gamma i (dy - dbeta / n - (x - mean) i dgamma / n) = a dy + b (x - mean) + c
//
// Ioffe and Szegedy 2015 (arXiv:1502.03167), section 3.
//
//   0  partials      [slabs, 2, C]  read: norm_gradient_sums.wgsl
//   1  gamma         [C]            read
//   2  variance      [C]            read
//   3  dgamma        [C]            written whole
//   4  dbeta         [C]            written whole
//   5  coefficients  [3, C]         written whole: a, b, c
//   6  params
//
// A workgroup computes 32 channels, an invocation every 32nd slab of four channels; in a fixed order.
// lib/: norm.wgsl, norm_sums.wgsl

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(2) var<storage, read> variance: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> dgamma: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> dbeta: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> coefficients: array<vec4f>;
@group(0) @binding(6) var<storage, read> params: Params;

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let wanted = group.x * COLUMNS + local.x;
    let column = min(wanted, params.columns - 1u);
    var own = Sums(vec4f(), vec4f());
    for (var slab = local.y; slab < params.slabs; slab += ROWS) {
        own.first += partials[partial(slab, 0u, column)];
        own.second += partials[partial(slab, 1u, column)];
    }
    let sum = over_rows(own, local.xy);
    if local.y == 0u && wanted < params.columns {
        let inverse = inverseSqrt(variance[column] + params.eps);
        let of_gamma = sum.second * inverse;
        let a = gamma[column] * inverse;
        let share = a / f32(params.rows);
        dgamma[column] = of_gamma;
        dbeta[column] = sum.first;
        coefficients[column] = a;
        coefficients[params.columns + column] = -(share * inverse) * of_gamma;
        coefficients[2u * params.columns + column] = -share * sum.first;
    }
}
