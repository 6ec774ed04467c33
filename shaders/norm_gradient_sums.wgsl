// Batch norm, backward, 1 of 3: the sums of each channel over a slab of pixels.
//
//   sum dy,  sum dy (x - mean)    with dy = 0 where a ReLU gave y = 0
//
//   0  x         [N,H,W,C]      read
//   1  dy        [N,H,W,C]      read
//   2  y         [N,H,W,C]      read where the flag of the ReLU is set, else anything
//   3  mean      [C]            read
//   4  partials  [slabs, 2, C]  written whole
//   5  params
//
// A workgroup computes 32 channels of a slab, an invocation every 32nd row of four channels; in a fixed order.
// lib/: norm.wgsl, norm_sums.wgsl

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read> y: array<vec4f>;
@group(0) @binding(3) var<storage, read> mean: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> partials: array<vec4f>;
@group(0) @binding(5) var<storage, read> params: Params;

fn added(sum: Sums, index: u32, centre: vec4f, with_relu: bool) -> Sums {
    var gradient = dy[index];
    if with_relu {
        gradient = select(vec4f(), gradient, y[index] > vec4f());
    }
    return Sums(sum.first + gradient, sum.second + gradient * (x[index] - centre));
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
    let end = slab * params.slab_rows + rows_of(slab);
    let centre = mean[column];
    let with_relu = has(FLAG_RELU);

    var own = Sums(vec4f(), vec4f());
    var row = slab * params.slab_rows + local.y;
    for (var block = rows_of(slab) / (ROWS * DEPTH); block > 0u; block--) {
        for (var i = 0u; i < DEPTH; i++) {
            own = added(own, at(row + i * ROWS, column), centre, with_relu);
        }
        row += ROWS * DEPTH;
    }
    for (; row < end; row += ROWS) {
        own = added(own, at(row, column), centre, with_relu);
    }

    let sum = over_rows(own, local.xy);
    if local.y == 0u && wanted < params.columns {
        partials[partial(slab, 0u, column)] = sum.first;
        partials[partial(slab, 1u, column)] = sum.second;
    }
}
