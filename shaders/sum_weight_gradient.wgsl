// Adds the parts of a weight gradient, in their order, and lays them out as the weights lie.
//
//   dw[group, m][c][tap] = sum_s parts[s][group][tap][c][m]
//
//   parts  [splits][groups][taps][padded][m]  padded: channels to whole fours
//   dw     [groups, m][channels][taps]
//
// An invocation adds one weight; x counts output channels, y input channels of all taps, z groups.

const WORKGROUP: u32 = 64u;

struct Params {
    m: u32,
    channels: u32,
    padded: u32,
    taps: u32,
    splits: u32,
    part: u32,
}

@group(0) @binding(0) var<storage, read> parts: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let m = id.x;
    let tap = id.y / params.channels;
    let c = id.y - tap * params.channels;
    if m >= params.m {
        return;
    }
    let at = ((id.z * params.taps + tap) * params.padded + c) * params.m + m;
    var sum = parts[at];
    for (var s = 1u; s < params.splits; s++) {
        sum += parts[s * params.part + at];
    }
    dw[((id.z * params.m + m) * params.channels + c) * params.taps + tap] = sum;
}
