// Max pooling of images that lie channels last, with where each value came from.
//
//   y[n,oy,ox,c] = max over ky, kx of x[n, oy*S - P + ky, ox*S - P + kx, c]
//
// Padding never wins: places outside the image are left out, so a window without any place inside gives the
// lowest f32. A NaN never wins. https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
//
//   0  x       [N,H,W,C]       read
//   1  y       [N,OH,OW,C]     written whole
//   2  places  [N,OH,OW,C/4]   written whole if with_places is not 0, else not touched
//   3  params
//
// One invocation computes four channels of a pixel of y. Workgroups lie in x, then in y where x would have more
// than 65535.
// lib/: max_pool.wgsl

const WORKGROUP: u32 = 64u;
const LOWEST: f32 = -0x1.fffffep+127f;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> places: array<u32>;
@group(0) @binding(3) var<storage, read> params: Params;

// x[image, row, column of pixels, four channels]; the caller stays inside.
fn load_x(image: u32, row: u32, pixel: u32, column: u32) -> vec4f {
    return x[((image * params.height + row) * params.width + pixel) * params.columns + column];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) groups: vec3u,
) {
    // 1. Place in memory; 2. channels, column, row and image of y.
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.images * params.out_height * params.out_width * params.columns {
        return;
    }
    let column = index % params.columns;
    let pixel = index / params.columns;
    let out_pixel = pixel % params.out_width;
    let out_row = pixel / params.out_width % params.out_height;
    let image = pixel / params.out_width / params.out_height;

    // The part of the window inside the image: padded row `top` is row top - padding.
    let top = out_row * params.stride;
    let left = out_pixel * params.stride;
    let first_row = max(top, params.padding) - params.padding;
    let first_pixel = max(left, params.padding) - params.padding;
    let end_row = min(max(top + params.window, params.padding) - params.padding, params.height);
    let end_pixel = min(max(left + params.window, params.padding) - params.padding, params.width);

    var best = vec4f(LOWEST);
    // Where all are the lowest, it came from the first.
    var best_place = vec4u((first_row + params.padding - top) * params.window
        + first_pixel + params.padding - left);
    for (var row = first_row; row < end_row; row++) {
        let start = (row + params.padding - top) * params.window + params.padding - left;
        for (var p = first_pixel; p < end_pixel; p++) {
            let value = load_x(image, row, p, column);
            let better = value > best;
            best = select(best, value, better);
            best_place = select(best_place, vec4u(start + p), better);
        }
    }
    y[index] = best;
    if params.with_places != 0u {
        places[index] = packed(best_place);
    }
}
