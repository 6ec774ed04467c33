// A step of Adam or AdamW on all values of a flat buffer.
//
//   w = value * shrink                       first = beta_1 * first + (1 - beta_1) * g
//   g = gradient * scale + w * decay         second = beta_2 * second + (1 - beta_2) * g^2
//   result = w - first * rate / (sqrt(second) / root + epsilon)
//
// (Kingma and Ba 2014, arXiv:1412.6980; Loshchilov and Hutter 2017, arXiv:1711.05101; the order of operations is
// PyTorch's.) shrink, decay, rate and root are the segment's; of a segment without a step the value is copied and the
// state left. The result is another buffer, since a model that is being validated may hold the old values.
//
//   0  values    four values an element, as all of these  read
//   1  gradient  read
//   2  scale     [1]  read
//   3  table     as lib/optimizer.wgsl has it  read
//   4  result    written whole
//   5  first     read and written
//   6  second    read and written
//   7  params
//
// A workgroup computes a block of 256 values, which is of one segment, an invocation four of them. Workgroups lie in x,
// then in y where x would have more than 65535.
//
// lib/: optimizer.wgsl

struct Params {
    blocks: u32,
    cells: u32,
    segments: u32,
    beta_1: f32,
    share_1: f32,
    beta_2: f32,
    share_2: f32,
    epsilon: f32,
}

@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> first: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> second: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let block = group.y * groups.x + group.x;
    if block >= params.blocks {
        return;
    }
    let at = block * WORKGROUP + lane;
    let value = values[at];
    let segment = segment_of(block);
    if segment.trained == 0u {
        result[at] = value;
        return;
    }
    let w = value * segment.shrink;
    let g = gradient[at] * scale[0] + w * segment.decay;
    let m = first[at] * params.beta_1 + g * params.share_1;
    let v = second[at] * params.beta_2 + g * g * params.share_2;
    first[at] = m;
    second[at] = v;
    result[at] = w - m * segment.rate / (sqrt(v) / segment.root + params.epsilon);
}
