// Sums of the squares of a flat buffer, each of a share of it: the first half of a gradient's norm.
//
//   sums[first + s] = sum over i of x[i]^2, i = s * 256 + l + 65536 n in fours of values, l below 256, n from 0
//
// Which values a sum has, and in what order, follows from the buffer's size alone: two runs give the same bits.
//
//   0  x       [4 elements]  read, four values an element; padding is 0
//   1  sums    written from first on, one a workgroup
//   2  params
//
// A workgroup computes one sum of 256, an invocation every 65536th element.
//
// lib/: sum.wgsl

struct Params {
    elements: u32,
    first: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> sums: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

// x[index]; the caller stays inside.
fn load_x(index: u32) -> vec4<f32> {
    return x[index];
}

// sums[first + index].
fn store_sum(index: u32, value: f32) {
    sums[params.first + index] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    var squares = vec4<f32>();
    for (var i = group.x * WORKGROUP + lane; i < params.elements; i += groups.x * WORKGROUP) {
        let values = load_x(i);
        squares += values * values;
    }
    let total = sum_of_workgroup(lane, (squares.x + squares.y) + (squares.z + squares.w));
    if lane == 0u {
        store_sum(group.x, total);
    }
}
