// Batch norm, forward, 2 of 3: mean and biased variance of each channel from those of the slabs.
//
//   lib/norm_moments; variance = squares / n
//
//   0  partials  [slabs, 2, C]  read: norm_statistics.wgsl
//   1  x         [N,H,W,C]      read: the first value of each channel, which the partial means are relative to
//   2  mean      [C]            written whole
//   3  variance  [C]            written whole
//   4  params
//
// A workgroup computes 32 channels, an invocation every 32nd slab of four channels.
// lib/: norm.wgsl, norm_moments.wgsl

@group(0) @binding(0) var<storage, read> partials: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> mean: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> variance: array<vec4f>;
@group(0) @binding(4) var<storage, read> params: Params;

fn load_partial(slab: u32, column: u32) -> Moments {
    return Moments(
        f32(rows_of(slab)),
        partials[partial(slab, 0u, column)],
        partials[partial(slab, 1u, column)],
    );
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    let wanted = group.x * COLUMNS + local.x;
    let column = min(wanted, params.columns - 1u);
    var own = Moments(0.0, vec4f(), vec4f());
    for (var slab = local.y; slab < params.slabs; slab += ROWS) {
        own = merged(own, load_partial(slab, column));
    }
    let sum = over_rows(own, local.xy);
    if local.y == 0u && wanted < params.columns {
        mean[column] = x[at(0u, column)] + sum.mean;
        variance[column] = sum.squares / sum.count;
    }
}
