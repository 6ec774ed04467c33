// The gradient of global average pooling of images that lie channels last.
//
//   dx[n,h,w,c] = dy[n,c] / (H*W)
//
//   0  dy      [N,C]      read
//   1  dx      [N,H*W,C]  written whole
//   2  params
//
// A column is four channels. One invocation computes four channels of a pixel. Workgroups lie in x, then in y
// where x would have more than 65535.

const WORKGROUP: u32 = 64u;

struct Params {
    images: u32,
    columns: u32,
    area: u32,
}

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(2) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    // 1. Place in memory; 2. channels and image.
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.images * params.area * params.columns {
        return;
    }
    let column = index % params.columns;
    let image = index / params.columns / params.area;
    dx[index] = dy[image * params.columns + column] / f32(params.area);
}
