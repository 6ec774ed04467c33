// Weights as the grouped convolutions with channels last read them: all outputs of a weight side by side.
//
//   packed[r][s][c][g, k] = w[g, k][c][r][s], or, TRANSPOSE, packed[r][s][k][g, c] = w[g, k][c][r][s]
//
//   w       [groups, m][channels][kernel_h][kernel_w]
//   packed  [kernel_h, kernel_w][channels][groups, m], or [kernel_h, kernel_w][m][groups, channels]
//
// An invocation copies one value; x and y count them.

const WORKGROUP: u32 = 64u;
const TRANSPOSE: bool = false;

struct Params {
    groups: u32,
    m: u32,
    channels: u32,
    // kernel_h * kernel_w
    taps: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> packed: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let index = id.y * workgroups.x * WORKGROUP + id.x;
    // 1. index to slice and column, 2. column to group and its channel, 3. slice to weight and summed channel.
    var own = params.m;
    var summed = params.channels;
    if TRANSPOSE {
        own = params.channels;
        summed = params.m;
    }
    let columns = params.groups * own;
    let slice = index / columns;
    let column = index - slice * columns;
    let group = column / own;
    let tap = slice / summed;
    if tap >= params.taps {
        return;
    }
    var k = column - group * own;
    var c = slice - tap * summed;
    if TRANSPOSE {
        let swapped = k;
        k = c;
        c = swapped;
    }
    packed[index] = w[((group * params.m + k) * params.channels + c) * params.taps + tap];
}
