// Depthwise convolution, one channel a group, channels last, for GPUs; or its input gradient (`BACKWARD`).
//
//   y[i][p][q][c] = act(sum_{r,s} w[r][s][c] * x[i][p * stride + r * dilation - padding][...][c]
//                       + bias[c] + residual[i][p][q][c])
//   dx[i][h][v][c] = sum_{r,s} w[r][s][c] * dy[i][(h + padding - r * dilation) / stride][...][c]
//   (Howard et al. 2017, "MobileNets", arXiv:1704.04861, section 3.1)
//
// Ladder: conv_depthwise.wgsl; four channels by four pixels an invocation, channels last, so that neighbours load
// what lies side by side; a row's pixels kept from one weight to the next (`SLIDE`).
//
//   x         [images][height][width][channels]            vec4 along channels
//   w         [kernel_h][kernel_w][channels]               vec4
//   bias      [channels]    read if FLAG_BIAS
//   residual  like y        read if FLAG_RESIDUAL
//   y         [images][out_height][out_width][channels]    vec4
//
// An invocation computes four channels of four pixels of a row; x and y count them: fours of channels fastest,
// then fours of pixels, rows, images.
//
// lib/: conv_grouped.wgsl, epilogue4.wgsl

const WORKGROUP: u32 = 64u;

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let at = place(id.y * workgroups.x * WORKGROUP + id.x);
    if at.image >= params.images {
        return;
    }
    let rows = taps(at.row, params.kernel_h);
    let columns = taps(at.column, params.kernel_w);
    let count = select(columns.count, KERNEL_W, KERNEL_W > 0u);
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
        var x0 = vec4f();
        var x1 = vec4f();
        var x2 = vec4f();
        var x3 = vec4f();
        if SLIDE {
            x1 = load_x(line, columns.start, at.channel4);
            x2 = load_x(line, columns.start + step, at.channel4);
            x3 = load_x(line, columns.start + 2u * step, at.channel4);
        }
        for (var j = 0u; j < count; j++) {
            let column = columns.start + j * advance;
            if SLIDE {
                x0 = x1;
                x1 = x2;
                x2 = x3;
            } else {
                x0 = load_x(line, column, at.channel4);
                x1 = load_x(line, column + step, at.channel4);
                x2 = load_x(line, column + 2u * step, at.channel4);
            }
            x3 = load_x(line, column + 3u * step, at.channel4);
            let weight = w[(first_tap + tap(columns, j)) * params.y4 + at.channel4];
            sum0 += weight * x0;
            sum1 += weight * x1;
            sum2 += weight * x2;
            sum3 += weight * x3;
        }
    }
    store_y(at, 0u, sum0);
    store_y(at, 1u, sum1);
    store_y(at, 2u, sum2);
    store_y(at, 3u, sum3);
}
