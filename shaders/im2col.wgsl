// The patches under a convolution's window as columns, so that the convolution is a matrix product.
//
//   col[image, group][(c * kernel_h + r) * kernel_w + s][p] = x[image][group, c][row(p, r)][column(p, s)]
//   row = p / out_width * stride + r * dilation - padding, column likewise, zero outside the image
//   (Chellapilla et al. 2006, "High performance convolutional neural networks for document processing")
//
//   x    [images][channels][height][width]
//   col  [images][channels * kernel_h * kernel_w][col_stride]   (groups lie one after the other)
//
// An invocation copies the window of one output pixel in one channel; x counts pixels, y channels,
// z images.
//
// lib/: columns.wgsl, image.wgsl

const WORKGROUP: u32 = 64u;

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> col: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let pixel = id.x;
    if pixel >= params.out_height * params.out_width {
        return;
    }
    let plane = id.z * params.channels + id.y;
    let out_row = pixel / params.out_width;
    let out_column = pixel - out_row * params.out_width;
    let row = out_row * params.stride - params.padding;
    let column = out_column * params.stride - params.padding;
    let step = params.col_stride;
    var at = plane * params.kernel_h * params.kernel_w * step + pixel;
    let kernel_h = params.kernel_h;
    let kernel_w = params.kernel_w;
    let dilation = params.dilation;
    for (var r = 0u; r < kernel_h; r++) {
        for (var s = 0u; s < kernel_w; s++) {
            col[at] = load_x(plane, row + r * dilation, column + s * dilation);
            at += step;
        }
    }
}
