// The gradient of im2col.wgsl: each pixel of the input gathers the columns that it was copied to.
//
//   dx[image][c][h][w] = sum over r, s with h = row(p, r), w = column(p, s) of col[image][(c, r, s)][p]
//   row(p, r) = p / out_width * stride + r * dilation - padding
//   (the input gradient of a convolution: Dumoulin and Visin 2016, arXiv:1603.07285, section 4)
//
//   col  [images][channels * kernel_h * kernel_w][col_stride]   (groups lie one after the other)
//   dx   [images][channels][height][width]
//
// An invocation sums one pixel, in one order, so that two runs give the same bits; x counts pixels, y
// channels, z images.
//
// lib/: columns.wgsl

const WORKGROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read> col: array<f32>;
@group(0) @binding(1) var<storage, read_write> dx: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let pixel = id.x;
    if pixel >= params.height * params.width {
        return;
    }
    let plane = id.z * params.channels + id.y;
    let row = pixel / params.width;
    let column = pixel - row * params.width;
    let kernel_h = params.kernel_h;
    let kernel_w = params.kernel_w;
    let stride = params.stride;
    let step = params.col_stride;
    var at = plane * kernel_h * kernel_w * step;
    var sum = 0.0;
    for (var r = 0u; r < kernel_h; r++) {
        // A negative distance wraps round to a large one, and its quotient is past the last row.
        let down = row + params.padding - r * params.dilation;
        let out_row = down / stride;
        let on_row = out_row * stride == down && out_row < params.out_height;
        for (var s = 0u; s < kernel_w; s++) {
            let along = column + params.padding - s * params.dilation;
            let out_column = along / stride;
            if on_row && out_column * stride == along && out_column < params.out_width {
                sum += col[at + out_row * params.out_width + out_column];
            }
            at += step;
        }
    }
    dx[plane * params.height * params.width + pixel] = sum;
}
