// Convolution in groups too narrow to fill the tiles of a matrix product, channels last, for GPUs; or its input
// gradient (`BACKWARD`).
//
//   y[i][p][q][g, k] = act(sum_{r,s,c} w[r][s][c][g, k] * x[i][p * stride + r * dilation - padding][...][g, c]
//                          + bias[g, k] + residual[i][p][q][g, k])
//   dx[i][h][v][g, c] = sum_{r,s,k} w[r][s][k][g, c] * dy[i][(h + padding - r * dilation) / stride][...][g, k]
//   (Xie et al. 2017, "ResNeXt", arXiv:1611.05431, section 3)
//
// Ladder: conv_direct.wgsl; channels last, so that neighbouring invocations load neighbouring fours of x, of the
// weights and of the result; a row's pixels kept from one weight to the next (`SLIDE`).
//
//   x         [images][height][width][groups, channels]        vec4 along channels
//   w         [kernel_h][kernel_w][channels][groups, m]        vec4 along m
//   bias      [groups, m]   read if FLAG_BIAS
//   residual  like y        read if FLAG_RESIDUAL
//   y         [images][out_height][out_width][groups, m]       vec4 along m
//
// An invocation computes four channels of four pixels of a row; x and y count them: fours of channels fastest,
// then fours of pixels, rows, images.
//
// lib/: conv_grouped.wgsl, epilogue4.wgsl

const WORKGROUP: u32 = 64u;

// The sum with the products of four channels of a pixel and their weights.
fn add(sum: vec4f, pixel: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
    return sum + pixel.x * w0 + pixel.y * w1 + pixel.z * w2 + pixel.w * w3;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let at = place(id.y * workgroups.x * WORKGROUP + id.x);
    if at.image >= params.images {
        return;
    }
    let first_channel4 = at.channel4 / params.m4 * params.channels4;
    let rows = taps(at.row, params.kernel_h);
    let columns = taps(at.column, params.kernel_w);
    let count = select(columns.count, KERNEL_W, KERNEL_W > 0u);
    let channels4 = params.channels4;
    let y4 = params.y4;
    let advance = params.advance;
    let step = x_step();
    let first = first_sum(at);
    var sum0 = first;
    var sum1 = first;
    var sum2 = first;
    var sum3 = first;
    for (var i = 0u; i < rows.count; i++) {
        let row = rows.start + i * advance;
        if row >= params.height {
            continue;
        }
        let line = (at.image * params.height + row) * params.width;
        let first_tap = tap(rows, i) * params.kernel_w;
        for (var c4 = 0u; c4 < channels4; c4++) {
            let channel4 = first_channel4 + c4;
            var x0 = vec4f();
            var x1 = vec4f();
            var x2 = vec4f();
            var x3 = vec4f();
            if SLIDE {
                x1 = load_x(line, columns.start, channel4);
                x2 = load_x(line, columns.start + step, channel4);
                x3 = load_x(line, columns.start + 2u * step, channel4);
            }
            for (var j = 0u; j < count; j++) {
                let column = columns.start + j * advance;
                if SLIDE {
                    x0 = x1;
                    x1 = x2;
                    x2 = x3;
                } else {
                    x0 = load_x(line, column, channel4);
                    x1 = load_x(line, column + step, channel4);
                    x2 = load_x(line, column + 2u * step, channel4);
                }
                x3 = load_x(line, column + 3u * step, channel4);
                let weight = ((first_tap + tap(columns, j)) * channels4 + c4) * 4u * y4 + at.channel4;
                let w0 = w[weight];
                let w1 = w[weight + y4];
                let w2 = w[weight + 2u * y4];
                let w3 = w[weight + 3u * y4];
                sum0 = add(sum0, x0, w0, w1, w2, w3);
                sum1 = add(sum1, x1, w0, w1, w2, w3);
                sum2 = add(sum2, x2, w0, w1, w2, w3);
                sum3 = add(sum3, x3, w0, w1, w2, w3);
            }
        }
    }
    store_y(at, 0u, sum0);
    store_y(at, 1u, sum1);
    store_y(at, 2u, sum2);
    store_y(at, 3u, sum3);
}
