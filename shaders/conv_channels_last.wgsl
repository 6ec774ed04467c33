// Convolution as a matrix product that is never laid out in memory, images channels last, for GPUs.
//
//   y[image][p][m] = act(sum_{r,s,c} x[image][row(p, r)][column(p, s)][c] * w[r][s][c][m] + bias[m] + residual[image][p][m])
//   row(p, r) = p / columns * stride + row_first + r * tap_step, column(p, s) alike
//   (implicit GEMM: Chetlur et al. 2014, "cuDNN", arXiv:1410.0759, section 3.1)
//
// The same kernel is the convolution (row_first = -padding, tap_step = dilation), its input gradient (the taps
// backwards over dy; for a stride one launch for each remainder of a pixel's place, which see only every y_step-th tap and
// pixel), Winograd's products and those of groups (batches, at a distance from each other in x, w and y).
//
// Ladder: one result a thread; TILE_P x TILE_M a workgroup through workgroup memory (Volkov and Demmel 2008,
// "Benchmarking GPUs to tune dense linear algebra"); PIXELS x FOURS * 4 results a thread in registers; loads of four
// channels, as many in every slice, so that nothing branches; the next slice on its way while this one is multiplied; named
// sums, which no compiler takes for memory; the sum in parts where there are few results.
//
//   x         [images][height][width][x_c4]  vec4 along channels; c4 of them are a batch's
//   w         [batches][taps][whole slices of 16 channels][m4]  vec4 along output channels; zeros from the last channel on
//   bias      [batches][m4]   read if FLAG_BIAS
//   residual  like y          read if FLAG_RESIDUAL
//   y         [splits][images][y_height][y_width][y_m4]
//
// A workgroup computes TILE_P pixels by TILE_M4 fours of channels, a thread PIXELS by FOURS of them; x counts tiles of
// pixels over all images from the launch's first one, y tiles of channels, z the parts of each batch's sum.
//
// lib/: epilogue4.wgsl

// Threads along output channels and along pixels, and what each computes.
const THREADS_M: u32 = 8u;
const THREADS_P: u32 = 8u;
const PIXELS: u32 = 8u;
const FOURS: u32 = 2u;
// A pixel of x is one four, and the taps of a row of the kernel count as its channels: the first layer's three colours.
const NARROW: bool = false;

const THREADS: u32 = THREADS_M * THREADS_P;
const TILE_P: u32 = THREADS_P * PIXELS;
const TILE_M4: u32 = THREADS_M * FOURS;
// A row of pixels in workgroup memory, longer by two so that neighbours in k lie in different banks.
const ROW: u32 = TILE_P + 2u;
// What a thread loads of a slice, and how far apart: pixels, rows of the weights.
const LOADS_X: u32 = TILE_P * 4u / THREADS;
const STEP_X: u32 = THREADS / 4u;
const LOADS_W: u32 = 16u * TILE_M4 / THREADS;
const STEP_W: u32 = THREADS / TILE_M4;

struct Params {
    images: u32,
    height: u32,
    width: u32,
    x_c4: u32,
    c4: u32,
    rows: u32,
    columns: u32,
    stride: u32,
    row_first: u32,
    column_first: u32,
    taps_h: u32,
    taps_w: u32,
    tap_step: u32,
    w_taps_w: u32,
    w_row: u32,
    w_column: u32,
    w_step: u32,
    x_tap: u32,
    x_row: u32,
    w_tap: u32,
    w_tap_row: u32,
    m4: u32,
    y_m4: u32,
    y_height: u32,
    y_width: u32,
    y_step: u32,
    y_row: u32,
    y_column: u32,
    x_batch: u32,
    w_batch: u32,
    y_batch: u32,
    y_split: u32,
    first_tile: u32,
    splits: u32,
    split_slices: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> w: array<vec4f>;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> residual: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(5) var<storage, read> params: Params;

var<workgroup> slice_x: array<vec4f, 4u * ROW>;
var<workgroup> slice_w: array<vec4f, 16u * TILE_M4>;

// Where a result's window starts in x. A negative coordinate wraps round to a large one.
struct Window {
    row: u32,
    column: u32,
    at: u32,
}

fn window(batch: u32, index: u32, lane: u32) -> Window {
    // 1. result to image and place in it, 2. place to row and column. Past the last result the last one's is loaded.
    let plane = params.rows * params.columns;
    let result = min(index, params.images * plane - 1u);
    let image = result / plane;
    let place = result - image * plane;
    let down = place / params.columns;
    let row = down * params.stride + params.row_first;
    let column = (place - down * params.columns) * params.stride + params.column_first;
    let at = ((image * params.height + row) * params.width + column) * params.x_c4 + batch * params.x_batch;
    // Of a narrow image the neighbour in the row stands for the next channels.
    return Window(row, column + select(0u, lane, NARROW), at + lane);
}

// The slice of the sum that is loaded next: a tap, the first of four fours of its channels, and where they stand.
struct Slice {
    c: u32,
    // Taps left in the row.
    left: u32,
    // Pixels of x from the first tap.
    down: u32,
    along: u32,
    // Fours of x from the first tap, and of the weights from the first batch's.
    x: u32,
    w: u32,
}

fn slice_of(batch: u32, index: u32) -> Slice {
    let a_tap = (params.c4 + 3u) / 4u;
    let tap = index / a_tap;
    let r = tap / params.taps_w;
    let s = tap - r * params.taps_w;
    let c = (index - tap * a_tap) * 4u;
    let down = r * params.tap_step;
    let along = s * params.tap_step;
    let w_tap = (params.w_row + r * params.w_step) * params.w_taps_w + params.w_column + s * params.w_step;
    let w_at = batch * params.w_batch + (w_tap * a_tap * 4u + c) * 4u * params.m4;
    return Slice(c, params.taps_w - s, down, along, (down * params.width + along) * params.x_c4 + c, w_at);
}

fn after(slice: Slice) -> Slice {
    var next = slice;
    next.c += 4u;
    next.x += 4u;
    next.w += 16u * params.m4;
    if next.c >= params.c4 {
        next.c = 0u;
        next.left--;
        next.along += params.tap_step;
        next.x += params.x_tap;
        next.w += params.w_tap;
        if next.left == 0u {
            next.left = params.taps_w;
            next.along = 0u;
            next.down += params.tap_step;
            next.x += params.x_row;
            next.w += params.w_tap_row;
        }
    }
    return next;
}

// Whether there is such a pixel and such a channel; zero counts elsewhere.
fn is_inside(start: Window, slice: Slice, lane: u32) -> bool {
    let along = select(slice.along, slice.c, NARROW);
    let whole = slice.c + lane < params.c4;
    return start.row + slice.down < params.height && start.column + along < params.width && whole;
}

// Any value where it is not inside: who waits for it is not to wait here.
fn load_x(start: Window, slice: Slice, inside: bool) -> vec4f {
    return x[select(0u, start.at + slice.x, inside)];
}

fn store_y(batch: u32, split: u32, index: u32, m4: u32, sum: vec4f) {
    let plane = params.rows * params.columns;
    if index >= params.images * plane || m4 >= params.m4 {
        return;
    }
    let image = index / plane;
    let place = index - image * plane;
    let down = place / params.columns;
    let row = down * params.y_step + params.y_row;
    let column = (place - down * params.columns) * params.y_step + params.y_column;
    let pixel = (image * params.y_height + row) * params.y_width + column;
    let at = split * params.y_split + batch * params.y_batch + pixel * params.y_m4 + m4;
    var value = sum;
    if (params.flags & FLAG_BIAS) != 0u {
        value += bias[batch * params.m4 + m4];
    }
    y[at] = finish(value, at);
}

// Four channels of a pixel times their weights.
fn add(sum: vec4f, pixel: vec4f, w0: vec4f, w1: vec4f, w2: vec4f, w3: vec4f) -> vec4f {
    var next = fma(vec4f(pixel.x), w0, sum);
    next = fma(vec4f(pixel.y), w1, next);
    next = fma(vec4f(pixel.z), w2, next);
    return fma(vec4f(pixel.w), w3, next);
}

@compute @workgroup_size(THREADS_M, THREADS_P)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let batch = group.z / params.splits;
    let split = group.z - batch * params.splits;
    let first_p = (params.first_tile + group.x) * TILE_P;
    let first_m4 = group.y * TILE_M4;
    // What this thread loads: a four of channels of every STEP_X-th pixel, a column of every STEP_W-th row of the weights.
    let lane = thread % 4u;
    let pixel = thread / 4u;
    let window0 = window(batch, first_p + pixel, lane);
    let window1 = window(batch, first_p + pixel + STEP_X, lane);
    let window2 = window(batch, first_p + pixel + 2u * STEP_X, lane);
    let window3 = window(batch, first_p + pixel + 3u * STEP_X, lane);
    let m4 = params.m4;
    let column = thread / TILE_M4 * m4 + min(first_m4 + thread % TILE_M4, m4 - 1u);

    let slices = params.taps_h * params.taps_w * ((params.c4 + 3u) / 4u);
    let first = split * params.split_slices;
    let last = min(first + params.split_slices, slices);
    var slice = slice_of(batch, first);
    var x0 = vec4f();
    var inside0 = false;
    var x1 = vec4f();
    var inside1 = false;
    var x2 = vec4f();
    var inside2 = false;
    var x3 = vec4f();
    var inside3 = false;
    var w0 = vec4f();
    var w1 = vec4f();
    var w2 = vec4f();
    var w3 = vec4f();
    if first < last {
        inside0 = is_inside(window0, slice, lane);
        x0 = load_x(window0, slice, inside0);
        inside1 = is_inside(window1, slice, lane);
        x1 = load_x(window1, slice, inside1);
        let at = slice.w + column;
        w0 = w[at];
        w1 = w[at + STEP_W * m4];
        if LOADS_X > 2u {
            inside2 = is_inside(window2, slice, lane);
            x2 = load_x(window2, slice, inside2);
            inside3 = is_inside(window3, slice, lane);
            x3 = load_x(window3, slice, inside3);
        }
        if LOADS_W > 2u {
            w2 = w[at + 2u * STEP_W * m4];
            w3 = w[at + 3u * STEP_W * m4];
        }
    }
    // sum[pixel][four]
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
    for (var index = first; index < last; index++) {
        let to = lane * ROW + pixel;
        slice_x[to] = select(vec4f(), x0, inside0);
        slice_x[to + STEP_X] = select(vec4f(), x1, inside1);
        slice_w[thread] = w0;
        slice_w[thread + THREADS] = w1;
        if LOADS_X > 2u {
            slice_x[to + 2u * STEP_X] = select(vec4f(), x2, inside2);
            slice_x[to + 3u * STEP_X] = select(vec4f(), x3, inside3);
        }
        if LOADS_W > 2u {
            slice_w[thread + 2u * THREADS] = w2;
            slice_w[thread + 3u * THREADS] = w3;
        }
        workgroupBarrier();
        // The weights first: in another order AMD's compiler waits for the loads before it multiplies.
        if index + 1u < last {
            slice = after(slice);
            let at = slice.w + column;
            w0 = w[at];
            w1 = w[at + STEP_W * m4];
            if LOADS_W > 2u {
                w2 = w[at + 2u * STEP_W * m4];
                w3 = w[at + 3u * STEP_W * m4];
            }
            inside0 = is_inside(window0, slice, lane);
            x0 = load_x(window0, slice, inside0);
            inside1 = is_inside(window1, slice, lane);
            x1 = load_x(window1, slice, inside1);
            if LOADS_X > 2u {
                inside2 = is_inside(window2, slice, lane);
                x2 = load_x(window2, slice, inside2);
                inside3 = is_inside(window3, slice, lane);
                x3 = load_x(window3, slice, inside3);
            }
        }
        for (var k = 0u; k < 4u; k++) {
            let at_x = k * ROW + local.y;
            let pixel0 = slice_x[at_x];
            let pixel1 = slice_x[at_x + THREADS_P];
            let pixel2 = slice_x[at_x + 2u * THREADS_P];
            let pixel3 = slice_x[at_x + 3u * THREADS_P];
            let at_w = k * 4u * TILE_M4 + local.x;
            let w00 = slice_w[at_w];
            let w10 = slice_w[at_w + TILE_M4];
            let w20 = slice_w[at_w + 2u * TILE_M4];
            let w30 = slice_w[at_w + 3u * TILE_M4];
            sum00 = add(sum00, pixel0, w00, w10, w20, w30);
            sum10 = add(sum10, pixel1, w00, w10, w20, w30);
            sum20 = add(sum20, pixel2, w00, w10, w20, w30);
            sum30 = add(sum30, pixel3, w00, w10, w20, w30);
            var pixel4 = vec4f();
            var pixel5 = vec4f();
            var pixel6 = vec4f();
            var pixel7 = vec4f();
            if PIXELS > 4u {
                pixel4 = slice_x[at_x + 4u * THREADS_P];
                pixel5 = slice_x[at_x + 5u * THREADS_P];
                pixel6 = slice_x[at_x + 6u * THREADS_P];
                pixel7 = slice_x[at_x + 7u * THREADS_P];
                sum40 = add(sum40, pixel4, w00, w10, w20, w30);
                sum50 = add(sum50, pixel5, w00, w10, w20, w30);
                sum60 = add(sum60, pixel6, w00, w10, w20, w30);
                sum70 = add(sum70, pixel7, w00, w10, w20, w30);
            }
            if FOURS > 1u {
                let w01 = slice_w[at_w + THREADS_M];
                let w11 = slice_w[at_w + TILE_M4 + THREADS_M];
                let w21 = slice_w[at_w + 2u * TILE_M4 + THREADS_M];
                let w31 = slice_w[at_w + 3u * TILE_M4 + THREADS_M];
                sum01 = add(sum01, pixel0, w01, w11, w21, w31);
                sum11 = add(sum11, pixel1, w01, w11, w21, w31);
                sum21 = add(sum21, pixel2, w01, w11, w21, w31);
                sum31 = add(sum31, pixel3, w01, w11, w21, w31);
                if PIXELS > 4u {
                    sum41 = add(sum41, pixel4, w01, w11, w21, w31);
                    sum51 = add(sum51, pixel5, w01, w11, w21, w31);
                    sum61 = add(sum61, pixel6, w01, w11, w21, w31);
                    sum71 = add(sum71, pixel7, w01, w11, w21, w31);
                }
            }
        }
        workgroupBarrier();
    }
    let p = first_p + local.y;
    let four = first_m4 + local.x;
    store_y(batch, split, p, four, sum00);
    store_y(batch, split, p + THREADS_P, four, sum10);
    store_y(batch, split, p + 2u * THREADS_P, four, sum20);
    store_y(batch, split, p + 3u * THREADS_P, four, sum30);
    if PIXELS > 4u {
        store_y(batch, split, p + 4u * THREADS_P, four, sum40);
        store_y(batch, split, p + 5u * THREADS_P, four, sum50);
        store_y(batch, split, p + 6u * THREADS_P, four, sum60);
        store_y(batch, split, p + 7u * THREADS_P, four, sum70);
    }
    if FOURS > 1u {
        let next = four + THREADS_M;
        store_y(batch, split, p, next, sum01);
        store_y(batch, split, p + THREADS_P, next, sum11);
        store_y(batch, split, p + 2u * THREADS_P, next, sum21);
        store_y(batch, split, p + 3u * THREADS_P, next, sum31);
        if PIXELS > 4u {
            store_y(batch, split, p + 4u * THREADS_P, next, sum41);
            store_y(batch, split, p + 5u * THREADS_P, next, sum51);
            store_y(batch, split, p + 6u * THREADS_P, next, sum61);
            store_y(batch, split, p + 7u * THREADS_P, next, sum71);
        }
    }
}
