// A linear layer, with a ReLU if wanted.
//
//   y[n,o] = b[o] + sum over i of x[n,i] * w[o,i],  then max(y, 0) where RELU
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html
//
//   0  x       [N,I]  read
//   1  w       [O,I]  read
//   2  b       [O]    read
//   3  y       [N,O]  written whole
//   4  params
//
// One invocation computes one value of y, in four partial sums, so that no addition waits for the one before
// it. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;
const RELU: bool = false;
alias Stored = f32;

struct Params {
    rows: u32,
    inputs: u32,
    outputs: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> w: array<Stored>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> params: Params;

// x[row, input]; the caller stays inside.
fn load_x(row: u32, input: u32) -> f32 {
    return x[row * params.inputs + input];
}

// w[output, input]; the caller stays inside.
fn load_w(output: u32, input: u32) -> f32 {
    return f32(w[output * params.inputs + input]);
}

// x[row, input..input+4].
fn load_x4(row: u32, input: u32) -> vec4<f32> {
    let start = row * params.inputs + input;
    return vec4(x[start], x[start + 1u], x[start + 2u], x[start + 3u]);
}

// w[output, input..input+4].
fn load_w4(output: u32, input: u32) -> vec4<f32> {
    let start = output * params.inputs + input;
    return vec4(f32(w[start]), f32(w[start + 1u]), f32(w[start + 2u]), f32(w[start + 3u]));
}

// y[row, output] by its place in memory.
fn store_y(index: u32, value: f32) {
    y[index] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.rows * params.outputs {
        return;
    }
    let output = index % params.outputs;
    let row = index / params.outputs;

    // Four at a time, then what is left of the row.
    var sums = vec4<f32>();
    let whole = params.inputs / 4u * 4u;
    for (var input = 0u; input < whole; input += 4u) {
        sums += load_x4(row, input) * load_w4(output, input);
    }
    var sum = (sums.x + sums.y) + (sums.z + sums.w);
    for (var input = whole; input < params.inputs; input++) {
        sum += load_x(row, input) * load_w(output, input);
    }
    sum += b[output];
    store_y(index, select(sum, max(sum, 0.0f), RELU));
}
