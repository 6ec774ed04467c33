// A step of SGD with Nesterov's momentum on all values of a flat buffer.
//
//   g = gradient * scale + value * decay
//   velocity = momentum * velocity + g
//   result = value - (g + momentum * velocity) * rate
//
// (Sutskever et al. 2013; https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html.) decay and rate are the
// segment's; of a segment without a step the value is copied and the velocity left. The result is another buffer, since
// a model that is being validated may hold the old values.
//
//   0  values    four values an element, as all of these  read
//   1  gradient  read
//   2  scale     [1]  read
//   3  table     as lib/optimizer.wgsl has it  read
//   4  result    written whole
//   5  velocity  read and written
//   6  params
//
// A workgroup computes a block of 256 values, which is of one segment, an invocation four of them. Workgroups lie in x,
// then in y where x would have more than 65535.
//
// lib/: optimizer.wgsl

struct Params {
    blocks: u32,
    cells: u32,
    segments: u32,
    momentum: f32,
}

@group(0) @binding(0) var<storage, read> values: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read> table: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> velocity: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read> params: Params;

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
    let g = gradient[at] * scale[0] + value * segment.decay;
    let v = velocity[at] * params.momentum + g;
    velocity[at] = v;
    result[at] = value - (g + v * params.momentum) * segment.rate;
}
