// What the two convolutions from the definition share: bindings, and four pixels of a row of results.
//
// The kernel declares the Params; its header has the layouts.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> params: Params;

fn store_y(image: u32, channel: u32, row: u32, column: u32, values: vec4f) {
    let plane = image * params.groups * params.m + channel;
    let at = (plane * params.out_height + row) * params.out_width + column;
    var sum = values;
    if (params.flags & FLAG_BIAS) != 0u {
        sum += bias[channel];
    }
    let count = min(params.out_width - column, 4u);
    for (var i = 0u; i < count; i++) {
        y[at + i] = finish(sum[i], at + i);
    }
}
