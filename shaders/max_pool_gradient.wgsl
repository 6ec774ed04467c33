// The gradient of max pooling of images that lie channels last: each pixel takes the gradients of the windows
// whose largest value it was.
//
//   dx[n,h,w,c] = sum over oy, ox of dy[n,oy,ox,c] where places[n,oy,ox,c] = (h + P - oy*S) * K + w + P - ox*S
//
// A gather: no atomics, the windows row by row, so two runs give the same bits.
//
//   0  dy      [N,OH,OW,C]     read
//   1  places  [N,OH,OW,C/4]   read: max_pool_channels_last.wgsl
//   2  dx      [N,H,W,C]       written whole
//   3  params
//
// One invocation computes four channels of a pixel of dx. Workgroups lie in x, then in y where x would have more
// than 65535.
// lib/: max_pool.wgsl

const WORKGROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read> dy: array<vec4f>;
@group(0) @binding(1) var<storage, read> places: array<u32>;
@group(0) @binding(2) var<storage, read_write> dx: array<vec4f>;
@group(0) @binding(3) var<storage, read> params: Params;

// The first window over a row or column, and the one after the last.
fn windows(pixel: u32, out_size: u32) -> vec2u {
    let padded = pixel + params.padding;
    let first = select(0u, (padded - params.window) / params.stride + 1u, padded >= params.window);
    return vec2u(first, min(padded / params.stride + 1u, out_size));
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    // 1. Place in memory; 2. channels, column, row and image of dx.
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.images * params.height * params.width * params.columns {
        return;
    }
    let column = index % params.columns;
    let place = index / params.columns;
    let pixel = place % params.width;
    let row = place / params.width % params.height;
    let image = place / params.width / params.height;

    let rows = windows(row, params.out_height);
    let pixels = windows(pixel, params.out_width);
    var sum = vec4f();
    for (var out_row = rows.x; out_row < rows.y; out_row++) {
        let start = (row + params.padding - out_row * params.stride) * params.window;
        for (var out_pixel = pixels.x; out_pixel < pixels.y; out_pixel++) {
            let here = start + pixel + params.padding - out_pixel * params.stride;
            let out = ((image * params.out_height + out_row) * params.out_width + out_pixel)
                * params.columns + column;
            let taken = unpacked(places[out]) == vec4u(here);
            sum += select(vec4f(), dy[out], taken);
        }
    }
    dx[index] = sum;
}
