// Batch norm, forward, 1 of 3: mean and squared distances of each channel over a slab of pixels.
//
//   mean = sum x / n,  squares = sum (x - mean)^2
//
// x is taken relative to the channel's first value, so that a mean far from zero takes no digits from either.
// Four rows at a time by the definition, then lib/norm_moments; in a fixed order, so two runs give the same bits.
//
//   0  x         [N,H,W,C]         read
//   1  partials  [slabs, 2, C]     written whole: mean relative to the first value, squares
//   2  params
//
// A workgroup computes 32 channels of a slab, an invocation every 32nd row of four channels.
// lib/: norm.wgsl, norm_moments.wgsl

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_x(row: u32, column: u32) -> vec4f {
    return x[at(row, column)];
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    // Past the last column the last is summed once more, and not stored: all reach the barriers.
    let wanted = group.x * COLUMNS + local.x;
    let column = min(wanted, params.columns - 1u);
    let slab = group.y;
    let start = slab * params.slab_rows;
    let end = start + rows_of(slab);
    let origin = load_x(0u, column);

    var own = Moments(0.0, vec4f(), vec4f());
    var row = start + local.y;
    // The whole blocks of the slab, as many for each invocation.
    for (var block = rows_of(slab) / (ROWS * DEPTH); block > 0u; block--) {
        let a = load_x(row, column) - origin;
        let b = load_x(row + ROWS, column) - origin;
        let c = load_x(row + 2u * ROWS, column) - origin;
        let d = load_x(row + 3u * ROWS, column) - origin;
        let mean = ((a + b) + (c + d)) * 0.25;
        let squares = ((a - mean) * (a - mean) + (b - mean) * (b - mean))
            + ((c - mean) * (c - mean) + (d - mean) * (d - mean));
        own = merged(own, Moments(4.0, mean, squares));
        row += ROWS * DEPTH;
    }
    for (; row < end; row += ROWS) {
        own = merged(own, Moments(1.0, load_x(row, column) - origin, vec4f()));
    }

    let sum = over_rows(own, local.xy);
    if local.y == 0u && wanted < params.columns {
        partials[partial(slab, 0u, column)] = sum.mean;
        partials[partial(slab, 1u, column)] = sum.squares;
    }
}
