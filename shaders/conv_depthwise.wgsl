// Depthwise convolution: as many groups as channels.
//
//   y[i][k][p][q] = act(sum_{r,s} w[k][r][s] * x[i][k / m][p * stride + r * dilation - padding][...]
//                       + bias[k] + residual[i][k][p][q])
//   (Howard et al. 2017, "MobileNets", arXiv:1704.04861, section 3.1)
//
// A pixel is used by nine results or so, all of one plane: there is nothing to share between channels, so
// an invocation takes four pixels of one. Ladder: one pixel an invocation; four.
//
//   x         [images][groups][height][width]
//   w         [groups, m][kernel_h][kernel_w]     m output channels a group
//   bias      [groups, m]   read if FLAG_BIAS
//   residual  like y        read if FLAG_RESIDUAL
//   y         [images][groups, m][out_height][out_width]
//
// An invocation computes four pixels of a row in one channel; x counts fours of pixels of an image, y
// channels, z images.
//
// lib/: conv_direct.wgsl, image.wgsl, epilogue.wgsl

const WORKGROUP: u32 = 64u;

struct Params {
    m: u32,
    groups: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_h: u32,
    kernel_w: u32,
    stride: u32,
    padding: u32,
    dilation: u32,
    flags: u32,
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let fours = (params.out_width + 3u) / 4u;
    let row = id.x / fours;
    let column = (id.x - row * fours) * 4u;
    if row >= params.out_height {
        return;
    }
    let channel = id.y;
    let image = id.z;
    let plane = image * params.groups + channel / params.m;
    let kernel_h = params.kernel_h;
    let kernel_w = params.kernel_w;
    let stride = params.stride;
    let dilation = params.dilation;
    let top = row * stride - params.padding;
    let left = column * stride - params.padding;
    var at = channel * kernel_h * kernel_w;
    var sum = vec4f();
    for (var r = 0u; r < kernel_h; r++) {
        let from_row = top + r * dilation;
        for (var s = 0u; s < kernel_w; s++) {
            let start = left + s * dilation;
            sum += w[at] * vec4f(
                load_x(plane, from_row, start),
                load_x(plane, from_row, start + stride),
                load_x(plane, from_row, start + 2u * stride),
                load_x(plane, from_row, start + 3u * stride),
            );
            at++;
        }
    }
    store_y(image, channel, row, column, sum);
}
