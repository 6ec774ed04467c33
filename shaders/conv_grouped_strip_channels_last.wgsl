// Convolution of three weights a row in groups too narrow to fill the tiles of a matrix product, channels last, for GPUs,
// where the pixels below one weight are, but for one, those below the next; or its input gradient (`BACKWARD`).
//
// Formula, buffers and what x and y count: conv_grouped_channels_last.wgsl, which takes any kernel and stride.
//
// Ladder: that one, four pixels an invocation, 57 % multiply-adds; eight (`PIXELS`), which share twelve fours of weights
// and ten of pixels, and where those are and whether they are there found once for all rows and channels: 74 %.
//
// An invocation computes four channels of a strip of eight pixels of a row.
//
// lib/: conv_grouped.wgsl, epilogue4.wgsl

const WORKGROUP: u32 = 64u;

// A column of x: its first four of the group in a row, and whether there is such a column.
struct Column {
    at: u32,
    inside: bool,
}

fn column_of(column: u32, channel4: u32) -> Column {
    let inside = column < params.width;
    return Column(select(0u, column, inside) * params.x4 + channel4, inside);
}

// The load is never left out: those without a branch between them are under way together.
fn load_four(line: u32, column: Column) -> vec4f {
    return select(vec4f(), x[line + column.at], column.inside);
}

// The sum with the products of four channels of a pixel and their weights.
fn add(sum: vec4f, pixel: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
    var next = fma(vec4f(pixel.x), w0, sum);
    next = fma(vec4f(pixel.y), w1, next);
    next = fma(vec4f(pixel.z), w2, next);
    return fma(vec4f(pixel.w), w3, next);
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
    let channels4 = params.channels4;
    let first_channel4 = at.channel4 / params.m4 * channels4;
    let rows = taps(at.row, params.kernel_h);
    let columns = taps(at.column, params.kernel_w);
    let y4 = params.y4;
    let step = x_step();
    let column0 = column_of(columns.start, first_channel4);
    let column1 = column_of(columns.start + step, first_channel4);
    let column2 = column_of(columns.start + 2u * step, first_channel4);
    let column3 = column_of(columns.start + 3u * step, first_channel4);
    let column4 = column_of(columns.start + 4u * step, first_channel4);
    let column5 = column_of(columns.start + 5u * step, first_channel4);
    let column6 = column_of(columns.start + 6u * step, first_channel4);
    let column7 = column_of(columns.start + 7u * step, first_channel4);
    let column8 = column_of(columns.start + 8u * step, first_channel4);
    let column9 = column_of(columns.start + 9u * step, first_channel4);
    let first = first_sum(at);
    var sum0 = first;
    var sum1 = first;
    var sum2 = first;
    var sum3 = first;
    var sum4 = first;
    var sum5 = first;
    var sum6 = first;
    var sum7 = first;
    for (var i = 0u; i < rows.count; i++) {
        let row = rows.start + i * params.advance;
        if row >= params.height {
            continue;
        }
        let line = (at.image * params.height + row) * params.width * params.x4;
        let first_tap = tap(rows, i) * params.kernel_w;
        for (var c4 = 0u; c4 < channels4; c4++) {
            let weight0 = ((first_tap + tap(columns, 0u)) * channels4 + c4) * 4u * y4 + at.channel4;
            let w00 = w[weight0];
            let w01 = w[weight0 + y4];
            let w02 = w[weight0 + 2u * y4];
            let w03 = w[weight0 + 3u * y4];
            let weight1 = ((first_tap + tap(columns, 1u)) * channels4 + c4) * 4u * y4 + at.channel4;
            let w10 = w[weight1];
            let w11 = w[weight1 + y4];
            let w12 = w[weight1 + 2u * y4];
            let w13 = w[weight1 + 3u * y4];
            let weight2 = ((first_tap + tap(columns, 2u)) * channels4 + c4) * 4u * y4 + at.channel4;
            let w20 = w[weight2];
            let w21 = w[weight2 + y4];
            let w22 = w[weight2 + 2u * y4];
            let w23 = w[weight2 + 3u * y4];
            let x0 = load_four(line + c4, column0);
            let x1 = load_four(line + c4, column1);
            let x2 = load_four(line + c4, column2);
            let x3 = load_four(line + c4, column3);
            let x4 = load_four(line + c4, column4);
            let x5 = load_four(line + c4, column5);
            let x6 = load_four(line + c4, column6);
            let x7 = load_four(line + c4, column7);
            let x8 = load_four(line + c4, column8);
            let x9 = load_four(line + c4, column9);
            sum0 = add(sum0, x0, w00, w01, w02, w03);
            sum1 = add(sum1, x1, w00, w01, w02, w03);
            sum2 = add(sum2, x2, w00, w01, w02, w03);
            sum3 = add(sum3, x3, w00, w01, w02, w03);
            sum4 = add(sum4, x4, w00, w01, w02, w03);
            sum5 = add(sum5, x5, w00, w01, w02, w03);
            sum6 = add(sum6, x6, w00, w01, w02, w03);
            sum7 = add(sum7, x7, w00, w01, w02, w03);
            sum0 = add(sum0, x1, w10, w11, w12, w13);
            sum1 = add(sum1, x2, w10, w11, w12, w13);
            sum2 = add(sum2, x3, w10, w11, w12, w13);
            sum3 = add(sum3, x4, w10, w11, w12, w13);
            sum4 = add(sum4, x5, w10, w11, w12, w13);
            sum5 = add(sum5, x6, w10, w11, w12, w13);
            sum6 = add(sum6, x7, w10, w11, w12, w13);
            sum7 = add(sum7, x8, w10, w11, w12, w13);
            sum0 = add(sum0, x2, w20, w21, w22, w23);
            sum1 = add(sum1, x3, w20, w21, w22, w23);
            sum2 = add(sum2, x4, w20, w21, w22, w23);
            sum3 = add(sum3, x5, w20, w21, w22, w23);
            sum4 = add(sum4, x6, w20, w21, w22, w23);
            sum5 = add(sum5, x7, w20, w21, w22, w23);
            sum6 = add(sum6, x8, w20, w21, w22, w23);
            sum7 = add(sum7, x9, w20, w21, w22, w23);
        }
    }
    store_y(at, 0u, sum0);
    store_y(at, 1u, sum1);
    store_y(at, 2u, sum2);
    store_y(at, 3u, sum3);
    store_y(at, 4u, sum4);
    store_y(at, 5u, sum5);
    store_y(at, 6u, sum6);
    store_y(at, 7u, sum7);
}
