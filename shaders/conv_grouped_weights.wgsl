// The weight gradient of a convolution in narrow groups, channels last, for GPUs: parts of its sum.
//
//   part[z][r][s][c][g, k] = sum over images i and rows p of the result that are of part z, columns q of
//                            dy[i][p][q][g, k] * x[i][p * stride + r * dilation - padding][...][g, c]
//   (the gradient of a correlation: Dumoulin and Visin 2016, arXiv:1603.07285, section 4)
//
// Ladder: the product of dy and im2col.wgsl's columns, which has as many rows as a group channels; parts, so that
// there are enough invocations; a row's pixels kept from one column to the next (`SLIDE`).
//
//   x     [images][height][width][groups, channels]              vec4 along channels
//   dy    [images][out_height][out_width][groups, m]             vec4 along m
//   part  [parts][kernel_h][kernel_w][channels][groups, m]       vec4 along m
//
// An invocation computes four by four channels of `TAPS` weights of a row of the kernel, at most three, in one
// part; x and y count them: fours of output channels fastest, then of a group's input channels, weights, parts.
//
// lib/: conv_grouped_weights.wgsl

const WORKGROUP: u32 = 64u;

// Four input channels by four output channels.
fn store(at: Place, tap: u32, c4: u32, channel4: u32, sum: mat4x4f) {
    let column = at.first_tap + tap;
    if column >= params.kernel_w {
        return;
    }
    let weight = (at.part * params.kernel_h + at.tap_row) * params.kernel_w + column;
    let index = (weight * params.channels4 + c4) * 4u * params.y4 + channel4;
    part[index] = sum[0];
    part[index + params.y4] = sum[1];
    part[index + 2u * params.y4] = sum[2];
    part[index + 3u * params.y4] = sum[3];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let index = id.y * workgroups.x * WORKGROUP + id.x;
    let slice = index / params.y4;
    let channel4 = index - slice * params.y4;
    let rest = slice / params.channels4;
    let c4 = slice - rest * params.channels4;
    let at = place(rest);
    if at.part >= params.parts {
        return;
    }
    let x_channel4 = channel4 / params.m4 * params.channels4 + c4;
    let stride = params.stride;
    let dilation = params.dilation;
    let left = at.first_tap * dilation - params.padding;
    let first = at.part * params.rows_of_part;
    let end = min(first + params.rows_of_part, params.rows);
    // Columns are input channels.
    var sum0 = mat4x4f();
    var sum1 = mat4x4f();
    var sum2 = mat4x4f();
    for (var row = first; row < end; row++) {
        let line = line_of_x(row, at.tap_row);
        if line == 0xffffffffu {
            continue;
        }
        // x0 to the last of TAPS are below the weights; sliding, they move up by one each time.
        var x0 = vec4f();
        var x1 = vec4f();
        var x2 = vec4f();
        if SLIDE {
            if TAPS > 1u {
                x1 = load_x(line, left, x_channel4);
            }
            if TAPS > 2u {
                x2 = load_x(line, left + dilation, x_channel4);
            }
        }
        let first_of_row = row * params.out_width;
        for (var q = 0u; q < params.out_width; q++) {
            let d = dy[(first_of_row + q) * params.y4 + channel4];
            let column = left + q * stride;
            if SLIDE {
                let next = load_x(line, column + (TAPS - 1u) * dilation, x_channel4);
                x0 = select(x1, next, TAPS == 1u);
                x1 = select(x2, next, TAPS == 2u);
                x2 = next;
            } else {
                x0 = load_x(line, column, x_channel4);
                if TAPS > 1u {
                    x1 = load_x(line, column + dilation, x_channel4);
                }
                if TAPS > 2u {
                    x2 = load_x(line, column + 2u * dilation, x_channel4);
                }
            }
            sum0 += mat4x4f(x0.x * d, x0.y * d, x0.z * d, x0.w * d);
            if TAPS > 1u {
                sum1 += mat4x4f(x1.x * d, x1.y * d, x1.z * d, x1.w * d);
            }
            if TAPS > 2u {
                sum2 += mat4x4f(x2.x * d, x2.y * d, x2.z * d, x2.w * d);
            }
        }
    }
    store(at, 0u, c4, channel4, sum0);
    if TAPS > 1u {
        store(at, 1u, c4, channel4, sum1);
    }
    if TAPS > 2u {
        store(at, 2u, c4, channel4, sum2);
    }
}
