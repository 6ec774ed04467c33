// The gradient of a ReLU.
//
//   dx = dy where y > 0, else 0    with y = max(x, 0)
//
//   0  y   [n]  read
//   1  dy  [n]  read: in the same order
//   2  dx  [n]  written whole
//   3  params
//
// One invocation computes one value. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;

struct Params {
    elements: u32,
}

@group(0) @binding(0) var<storage, read> y: array<f32>;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
@group(0) @binding(3) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.elements {
        return;
    }
    dx[index] = select(0.0, dy[index], y[index] > 0.0);
}
