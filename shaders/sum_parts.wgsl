// The weight gradient of a convolution out of the parts of its sum, always in the same order, so that two
// runs give the same bits.
//
//   dw[g, k][c][r][s] = sum over z of part[z][r][s][c][g, k]
//
//   part  [parts][kernel_h, kernel_w][padded][outputs]  of the padded channels those past the last are not read
//   dw    [outputs][channels][kernel_h, kernel_w]
//
// A workgroup sums VALUES neighbouring values: every row of invocations each ROWS-th part, then one row those sums;
// x and y count the workgroups. Several rows are for few values of many parts, which would leave a GPU idle.

const VALUES: u32 = 16u;
const ROWS: u32 = 16u;

struct Params {
    parts: u32,
    outputs: u32,
    channels: u32,
    padded: u32,
    // kernel_h * kernel_w
    taps: u32,
}

@group(0) @binding(0) var<storage, read> part: array<f32>;
@group(0) @binding(1) var<storage, read_write> dw: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

var<workgroup> sums: array<f32, VALUES * ROWS>;

@compute @workgroup_size(VALUES, ROWS)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let values = params.taps * params.channels * params.outputs;
    let index = (workgroup.y * workgroups.x + workgroup.x) * VALUES + local.x;
    // 1. index to slice and output, 2. slice to weight and channel.
    let slice = index / params.outputs;
    let output = index - slice * params.outputs;
    let tap = slice / params.channels;
    let c = slice - tap * params.channels;
    let at = (tap * params.padded + c) * params.outputs + output;
    let step = params.taps * params.padded * params.outputs;
    var sum = 0.0;
    if index < values {
        for (var z = local.y; z < params.parts; z += ROWS) {
            sum += part[z * step + at];
        }
    }
    sums[local.y * VALUES + local.x] = sum;
    workgroupBarrier();
    if local.y > 0u || index >= values {
        return;
    }
    for (var row = 1u; row < ROWS; row++) {
        sum += sums[row * VALUES + local.x];
    }
    dw[(output * params.channels + c) * params.taps + tap] = sum;
}
