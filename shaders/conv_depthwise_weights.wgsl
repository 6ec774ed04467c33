// The weight gradient of a depthwise convolution, one channel a group, channels last, for GPUs: parts of its sum.
//
//   part[z][r][s][c] = sum over images i and rows p of the result that are of part z, columns q of
//                      dy[i][p][q][c] * x[i][p * stride + r * dilation - padding][...][c]
//   (the gradient of a correlation: Dumoulin and Visin 2016, arXiv:1603.07285, section 4)
//
// Ladder: the product of dy and im2col.wgsl's columns, which has one row a channel here; parts, so that there are
// enough invocations; a row's pixels kept from one column to the next (`SLIDE`).
//
//   x     [images][height][width][channels]            vec4 along channels
//   dy    [images][out_height][out_width][channels]    vec4
//   part  [parts][kernel_h][kernel_w][channels]        vec4
//
// An invocation computes four channels of `TAPS` weights of a row of the kernel in one part; x and y count them:
// fours of channels fastest, then weights, then parts.
//
// lib/: conv_grouped_weights.wgsl

const WORKGROUP: u32 = 64u;

fn store(at: Place, tap: u32, channel4: u32, value: vec4f) {
    let column = at.first_tap + tap;
    if column >= params.kernel_w {
        return;
    }
    let weight = (at.part * params.kernel_h + at.tap_row) * params.kernel_w + column;
    part[weight * params.y4 + channel4] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3u,
    @builtin(num_workgroups) workgroups: vec3u,
) {
    let index = id.y * workgroups.x * WORKGROUP + id.x;
    let rest = index / params.y4;
    let channel4 = index - rest * params.y4;
    let at = place(rest);
    if at.part >= params.parts {
        return;
    }
    let stride = params.stride;
    let dilation = params.dilation;
    let left = at.first_tap * dilation - params.padding;
    let first = at.part * params.rows_of_part;
    let end = min(first + params.rows_of_part, params.rows);
    var sum0 = vec4f();
    var sum1 = vec4f();
    var sum2 = vec4f();
    var sum3 = vec4f();
    var sum4 = vec4f();
    var sum5 = vec4f();
    var sum6 = vec4f();
    for (var row = first; row < end; row++) {
        let line = line_of_x(row, at.tap_row);
        if line == 0xffffffffu {
            continue;
        }
        // x0 to the last of TAPS are below the weights; sliding, they move up by one each time.
        var x0 = vec4f();
        var x1 = vec4f();
        var x2 = vec4f();
        var x3 = vec4f();
        var x4 = vec4f();
        var x5 = vec4f();
        var x6 = vec4f();
        if SLIDE {
            if TAPS > 1u {
                x1 = load_x(line, left, channel4);
            }
            if TAPS > 2u {
                x2 = load_x(line, left + dilation, channel4);
            }
            if TAPS > 3u {
                x3 = load_x(line, left + 2u * dilation, channel4);
            }
            if TAPS > 4u {
                x4 = load_x(line, left + 3u * dilation, channel4);
            }
            if TAPS > 5u {
                x5 = load_x(line, left + 4u * dilation, channel4);
            }
            if TAPS > 6u {
                x6 = load_x(line, left + 5u * dilation, channel4);
            }
        }
        let first_of_row = row * params.out_width;
        for (var q = 0u; q < params.out_width; q++) {
            let d = dy[(first_of_row + q) * params.y4 + channel4];
            let column = left + q * stride;
            if SLIDE {
                let next = load_x(line, column + (TAPS - 1u) * dilation, channel4);
                x0 = select(x1, next, TAPS == 1u);
                x1 = select(x2, next, TAPS == 2u);
                x2 = select(x3, next, TAPS == 3u);
                x3 = select(x4, next, TAPS == 4u);
                x4 = select(x5, next, TAPS == 5u);
                x5 = select(x6, next, TAPS == 6u);
                x6 = next;
            } else {
                x0 = load_x(line, column, channel4);
                if TAPS > 1u {
                    x1 = load_x(line, column + dilation, channel4);
                }
                if TAPS > 2u {
                    x2 = load_x(line, column + 2u * dilation, channel4);
                }
                if TAPS > 3u {
                    x3 = load_x(line, column + 3u * dilation, channel4);
                }
                if TAPS > 4u {
                    x4 = load_x(line, column + 4u * dilation, channel4);
                }
                if TAPS > 5u {
                    x5 = load_x(line, column + 5u * dilation, channel4);
                }
                if TAPS > 6u {
                    x6 = load_x(line, column + 6u * dilation, channel4);
                }
            }
            sum0 += d * x0;
            if TAPS > 1u {
                sum1 += d * x1;
            }
            if TAPS > 2u {
                sum2 += d * x2;
            }
            if TAPS > 3u {
                sum3 += d * x3;
            }
            if TAPS > 4u {
                sum4 += d * x4;
            }
            if TAPS > 5u {
                sum5 += d * x5;
            }
            if TAPS > 6u {
                sum6 += d * x6;
            }
        }
    }
    store(at, 0u, channel4, sum0);
    if TAPS > 1u {
        store(at, 1u, channel4, sum1);
    }
    if TAPS > 2u {
        store(at, 2u, channel4, sum2);
    }
    if TAPS > 3u {
        store(at, 3u, channel4, sum3);
    }
    if TAPS > 4u {
        store(at, 4u, channel4, sum4);
    }
    if TAPS > 5u {
        store(at, 5u, channel4, sum5);
    }
    if TAPS > 6u {
        store(at, 6u, channel4, sum6);
    }
}
