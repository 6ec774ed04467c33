// How fast this GPU reads and writes memory: what a kernel that only moves data is measured by.
//
//   y[i] = x[i]
//
// The method is STREAM's copy: https://www.cs.virginia.edu/stream/ref.html. The buffers have to be larger than
// every cache for the figure to be memory's.
//
//   0  x       [I]  read, four values an element
//   1  y       [I]  written whole, likewise
//   2  params
//
// One invocation copies one element, 16 bytes, so that neighbours in a subgroup touch whole cache lines.
// Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 256u;

struct Params {
    elements: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> params: Params;

// x[index]; the caller stays inside.
fn load_x(index: u32) -> vec4<f32> {
    return x[index];
}

// y[index].
fn store_y(index: u32, value: vec4<f32>) {
    y[index] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.elements {
        return;
    }
    store_y(index, load_x(index));
}
