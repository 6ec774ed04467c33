// Convolution of any size, stride, padding, dilation and groups, straight from its definition.
//
//   y[i][k][p][q] = act(sum_{c,r,s} w[k][c][r][s] * x[i][g, c][p * stride + r * dilation - padding][...]
//                       + bias[k] + residual[i][k][p][q]),  g the group of k
//   (Dumoulin and Visin 2016, arXiv:1603.07285)
//
// For groups too narrow for a matrix product (ResNeXt's are 4 to 32 channels wide). Ladder: one output an
// invocation; four pixels of four channels, so that 8 loads feed 16 multiply-adds.
//
//   x         [images][groups, channels][height][width]     channels are those of a group
//   w         [groups, m][channels][kernel_h][kernel_w]     m output channels a group
//   bias      [groups, m]   read if FLAG_BIAS
//   residual  like y        read if FLAG_RESIDUAL
//   y         [images][groups, m][out_height][out_width]
//
// An invocation computes four pixels of a row in four channels of a group; x counts fours of pixels of an
// image, y fours of channels, z images.
//
// lib/: conv_direct.wgsl, image.wgsl, epilogue.wgsl

const WORKGROUP: u32 = 64u;

struct Params {
    m: u32,
    groups: u32,
    channels: u32,
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
    // 1. index to row and four columns, 2. four channels to group and channel in it.
    let fours = (params.out_width + 3u) / 4u;
    let row = id.x / fours;
    let column = (id.x - row * fours) * 4u;
    if row >= params.out_height {
        return;
    }
    let channel_fours = (params.m + 3u) / 4u;
    let group = id.y / channel_fours;
    let first = (id.y - group * channel_fours) * 4u;
    let image = id.z;

    let channels = params.channels;
    let kernel_h = params.kernel_h;
    let kernel_w = params.kernel_w;
    let stride = params.stride;
    let dilation = params.dilation;
    let filter_size = channels * kernel_h * kernel_w;
    // Channels past the group's last are computed on its last one's weights and dropped.
    let last = params.m - 1u;
    let base = group * params.m;
    var at0 = (base + first) * filter_size;
    var at1 = (base + min(first + 1u, last)) * filter_size;
    var at2 = (base + min(first + 2u, last)) * filter_size;
    var at3 = (base + min(first + 3u, last)) * filter_size;
    let top = row * stride - params.padding;
    let left = column * stride - params.padding;
    var plane = (image * params.groups + group) * channels;
    var tile = mat4x4f();
    for (var c = 0u; c < channels; c++) {
        for (var r = 0u; r < kernel_h; r++) {
            let from_row = top + r * dilation;
            for (var s = 0u; s < kernel_w; s++) {
                let start = left + s * dilation;
                let pixels = vec4f(
                    load_x(plane, from_row, start),
                    load_x(plane, from_row, start + stride),
                    load_x(plane, from_row, start + 2u * stride),
                    load_x(plane, from_row, start + 3u * stride),
                );
                tile += mat4x4f(w[at0] * pixels, w[at1] * pixels, w[at2] * pixels, w[at3] * pixels);
                at0++;
                at1++;
                at2++;
                at3++;
            }
        }
        plane++;
    }
    for (var i = 0u; i < 4u; i++) {
        if first + i < params.m {
            store_y(image, base + first + i, row, column, tile[i]);
        }
    }
}
