// The weight gradient of a convolution, images channels last, as a matrix product over pixels that is never laid out in
// memory, for GPUs.
//
//   parts[split][r, s, c][m] = sum over the pixels p of a part of x[row(p, r)][column(p, s)][c] * dy[p][m]
//   row(p, r) = p / out_width * stride + r * dilation - padding, column(p, s) alike; p counts the pixels of all images
//   (the gradient: Dumoulin and Visin 2016, arXiv:1603.07285, section 4; the implicit product: Chetlur et al. 2014, "cuDNN",
//   arXiv:1410.0759; the split sum: Osama et al. 2023, "Stream-K", arXiv:2301.03598, section 3)
//
// A layer has few weights and very many pixels, so the sum is taken in parts, each a workgroup's, which
// sum_parts.wgsl adds.
//
// Ladder: matmul_nt.wgsl, 8x16 results a thread straight from memory; 64 x 64 a workgroup through workgroup memory; loads of
// four channels, as many in every slice; the next slice on its way while this one is multiplied; the sum in parts.
//
//   x      [images][height][width][x_c4]          vec4 along channels; c4 of them are a group's
//   dy     [images][out_height][out_width][y_m4]  vec4 along channels; m4 of them are a group's
//   parts  [splits][taps][c4 * 4][y_m4]           vec4 along output channels
//
// A workgroup computes 16 fours of rows (tap and input channel) by 16 fours of output channels, a thread 8 rows by 8
// channels; x counts tiles of rows, y tiles of channels, z the parts of each group from the launch's
// first one.

const THREADS: u32 = 8u;
const TILE4: u32 = 16u;
// Pixels of a slice.
const SLICE: u32 = 16u;
// Pixels between the loads of a thread.
const STEP: u32 = THREADS * THREADS / TILE4;

struct Params {
    images: u32,
    height: u32,
    width: u32,
    x_c4: u32,
    c4: u32,
    out_height: u32,
    out_width: u32,
    y_m4: u32,
    m4: u32,
    taps: u32,
    kernel_w: u32,
    stride: u32,
    padding: u32,
    dilation: u32,
    // Rows and columns of dy times the stride.
    end_row: u32,
    end_column: u32,
    // A slice on: rows and columns times the stride, fours of x; and the fours besides into the next row, the next image.
    step_row: u32,
    step_column: u32,
    step_at: u32,
    row_at: u32,
    image_at: u32,
    first_part: u32,
    splits: u32,
    split_pixels: u32,
    part: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> parts: array<vec4f>;
@group(0) @binding(3) var<storage, read> params: Params;

var<workgroup> slice_x: array<vec4f, SLICE * TILE4>;
var<workgroup> slice_dy: array<vec4f, SLICE * TILE4>;

// A pixel of dy, and where its window starts in x.
struct Pixel {
    // Times the stride.
    row: u32,
    column: u32,
    // Fours of x.
    at: u32,
}

fn pixel_of(index: u32) -> Pixel {
    // 1. index to image and place in it, 2. place to row and column.
    let plane = params.out_height * params.out_width;
    let image = index / plane;
    let place = index - image * plane;
    let down = place / params.out_width;
    let row = down * params.stride;
    let column = (place - down * params.out_width) * params.stride;
    return Pixel(row, column, ((image * params.height + row) * params.width + column) * params.x_c4);
}

// The pixel a slice on, which may be in the next row or the next image but one or more.
fn after(pixel: Pixel) -> Pixel {
    var next = pixel;
    next.column += params.step_column;
    next.row += params.step_row;
    next.at += params.step_at;
    let over_row = next.column >= params.end_column;
    next.column -= select(0u, params.end_column, over_row);
    next.row += select(0u, params.stride, over_row);
    next.at += select(0u, params.row_at, over_row);
    let over_image = next.row >= params.end_row;
    next.row -= select(0u, params.end_row, over_image);
    next.at += select(0u, params.image_at, over_image);
    return next;
}

// What a thread loads of x: one four of channels under one tap. A negative coordinate wraps round to a large one.
struct Tap {
    down: u32,
    along: u32,
    // Fours of x from a window's start.
    at: u32,
}

fn is_inside(tap: Tap, pixel: Pixel) -> bool {
    return pixel.row + tap.down < params.height && pixel.column + tap.along < params.width;
}

// Any value where it is not inside: who waits for it is not to wait here.
fn load_x(tap: Tap, pixel: Pixel, inside: bool) -> vec4f {
    return x[select(0u, pixel.at + tap.at, inside)];
}

fn store_part(at: u32, row: u32, m4: u32, sum: vec4f) {
    if row >= params.taps * params.c4 * 4u || m4 >= params.m4 {
        return;
    }
    parts[at + row * params.y_m4 + m4] = sum;
}

@compute @workgroup_size(THREADS, THREADS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = params.first_part + group.z;
    let batch = number / params.splits;
    let split = number - batch * params.splits;
    let first_row4 = group.x * TILE4;
    let first_m4 = group.y * TILE4;
    // Of the rows and columns past the last one the last one's are loaded.
    let row4 = min(first_row4 + thread % TILE4, params.taps * params.c4 - 1u);
    let tap_number = row4 / params.c4;
    let r = tap_number / params.kernel_w;
    let down = r * params.dilation - params.padding;
    let along = (tap_number - r * params.kernel_w) * params.dilation - params.padding;
    let c = batch * params.c4 + row4 - tap_number * params.c4;
    let tap = Tap(down, along, (down * params.width + along) * params.x_c4 + c);
    let all = params.images * params.out_height * params.out_width;
    let first = split * params.split_pixels;
    let last = min(first + params.split_pixels, all);
    let y_column = batch * params.m4 + min(first_m4 + thread % TILE4, params.m4 - 1u);
    let y_last = (all - 1u) * params.y_m4 + y_column;
    let step_y = STEP * params.y_m4;

    // This thread's pixels of the slice that is loaded next. Past the last one x counts as zero, and so dy may be any.
    var index = first + thread / TILE4;
    var y_at = index * params.y_m4 + y_column;
    var pixel0 = pixel_of(index);
    var pixel1 = pixel_of(index + STEP);
    var pixel2 = pixel_of(index + 2u * STEP);
    var pixel3 = pixel_of(index + 3u * STEP);
    var y0 = dy[min(y_at, y_last)];
    var y1 = dy[min(y_at + step_y, y_last)];
    var y2 = dy[min(y_at + 2u * step_y, y_last)];
    var y3 = dy[min(y_at + 3u * step_y, y_last)];
    var inside0 = index < last && is_inside(tap, pixel0);
    var inside1 = index + STEP < last && is_inside(tap, pixel1);
    var inside2 = index + 2u * STEP < last && is_inside(tap, pixel2);
    var inside3 = index + 3u * STEP < last && is_inside(tap, pixel3);
    var x0 = load_x(tap, pixel0, inside0);
    var x1 = load_x(tap, pixel1, inside1);
    var x2 = load_x(tap, pixel2, inside2);
    var x3 = load_x(tap, pixel3, inside3);
    // sum[row][four]
    var sum00 = vec4f();
    var sum10 = vec4f();
    var sum20 = vec4f();
    var sum30 = vec4f();
    var sum40 = vec4f();
    var sum50 = vec4f();
    var sum60 = vec4f();
    var sum70 = vec4f();
    var sum01 = vec4f();
    var sum11 = vec4f();
    var sum21 = vec4f();
    var sum31 = vec4f();
    var sum41 = vec4f();
    var sum51 = vec4f();
    var sum61 = vec4f();
    var sum71 = vec4f();
    for (var slice = first; slice < last; slice += SLICE) {
        slice_x[thread] = select(vec4f(), x0, inside0);
        slice_x[thread + STEP * TILE4] = select(vec4f(), x1, inside1);
        slice_x[thread + 2u * STEP * TILE4] = select(vec4f(), x2, inside2);
        slice_x[thread + 3u * STEP * TILE4] = select(vec4f(), x3, inside3);
        slice_dy[thread] = y0;
        slice_dy[thread + STEP * TILE4] = y1;
        slice_dy[thread + 2u * STEP * TILE4] = y2;
        slice_dy[thread + 3u * STEP * TILE4] = y3;
        workgroupBarrier();
        if slice + SLICE < last {
            index += SLICE;
            y_at += SLICE * params.y_m4;
            y3 = dy[min(y_at + 3u * step_y, y_last)];
            y2 = dy[min(y_at + 2u * step_y, y_last)];
            y1 = dy[min(y_at + step_y, y_last)];
            y0 = dy[min(y_at, y_last)];
            pixel3 = after(pixel3);
            inside3 = index + 3u * STEP < last && is_inside(tap, pixel3);
            x3 = load_x(tap, pixel3, inside3);
            pixel2 = after(pixel2);
            inside2 = index + 2u * STEP < last && is_inside(tap, pixel2);
            x2 = load_x(tap, pixel2, inside2);
            pixel1 = after(pixel1);
            inside1 = index + STEP < last && is_inside(tap, pixel1);
            x1 = load_x(tap, pixel1, inside1);
            pixel0 = after(pixel0);
            inside0 = index < last && is_inside(tap, pixel0);
            x0 = load_x(tap, pixel0, inside0);
        }
        for (var k = 0u; k < SLICE; k++) {
            let rows0 = slice_x[k * TILE4 + local.y];
            let rows1 = slice_x[k * TILE4 + THREADS + local.y];
            let columns0 = slice_dy[k * TILE4 + local.x];
            let columns1 = slice_dy[k * TILE4 + THREADS + local.x];
            sum00 = fma(vec4f(rows0.x), columns0, sum00);
            sum10 = fma(vec4f(rows0.y), columns0, sum10);
            sum20 = fma(vec4f(rows0.z), columns0, sum20);
            sum30 = fma(vec4f(rows0.w), columns0, sum30);
            sum40 = fma(vec4f(rows1.x), columns0, sum40);
            sum50 = fma(vec4f(rows1.y), columns0, sum50);
            sum60 = fma(vec4f(rows1.z), columns0, sum60);
            sum70 = fma(vec4f(rows1.w), columns0, sum70);
            sum01 = fma(vec4f(rows0.x), columns1, sum01);
            sum11 = fma(vec4f(rows0.y), columns1, sum11);
            sum21 = fma(vec4f(rows0.z), columns1, sum21);
            sum31 = fma(vec4f(rows0.w), columns1, sum31);
            sum41 = fma(vec4f(rows1.x), columns1, sum41);
            sum51 = fma(vec4f(rows1.y), columns1, sum51);
            sum61 = fma(vec4f(rows1.z), columns1, sum61);
            sum71 = fma(vec4f(rows1.w), columns1, sum71);
        }
        workgroupBarrier();
    }
    let at = split * params.part + batch * params.m4;
    let row = (first_row4 + local.y) * 4u;
    let next = row + THREADS * 4u;
    let four = first_m4 + local.x;
    store_part(at, row, four, sum00);
    store_part(at, row + 1u, four, sum10);
    store_part(at, row + 2u, four, sum20);
    store_part(at, row + 3u, four, sum30);
    store_part(at, next, four, sum40);
    store_part(at, next + 1u, four, sum50);
    store_part(at, next + 2u, four, sum60);
    store_part(at, next + 3u, four, sum70);
    store_part(at, row, four + THREADS, sum01);
    store_part(at, row + 1u, four + THREADS, sum11);
    store_part(at, row + 2u, four + THREADS, sum21);
    store_part(at, row + 3u, four + THREADS, sum31);
    store_part(at, next, four + THREADS, sum41);
    store_part(at, next + 1u, four + THREADS, sum51);
    store_part(at, next + 2u, four + THREADS, sum61);
    store_part(at, next + 3u, four + THREADS, sum71);
}
