// Adds the parts of a convolution's sums, in their order, with the epilogue.
//
//   y[i] = act(sum_s parts[s][i] + bias[channel of i] + residual[i])
//   (split-K: Osama et al. 2023, "Stream-K", arXiv:2301.03598, section 3)
//
//   parts     [splits][fours]  vec4 along channels, as conv_channels_last.wgsl writes them
//   bias      [y_m4]           read if FLAG_BIAS
//   residual  like y           read if FLAG_RESIDUAL
//   y         [fours]
//
// An invocation adds one four; x counts them, y the rows of workgroups where one is too short.
//
// lib/: epilogue4.wgsl

const WORKGROUP: u32 = 64u;

struct Params {
    fours: u32,
    y_m4: u32,
    splits: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let four = id.y * workgroups.x * WORKGROUP + id.x;
    if four >= params.fours {
        return;
    }
    var sum = parts[four];
    for (var s = 1u; s < params.splits; s++) {
        sum += parts[s * params.fours + four];
    }
    if (params.flags & FLAG_BIAS) != 0u {
        sum += bias[four % params.y_m4];
    }
    y[four] = finish(sum, four);
}
