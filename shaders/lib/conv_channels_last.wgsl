// A convolution as a matrix product that is never laid out in memory, images channels last: parameters, bindings, where
// results lie in x and y, the taps and channels of the sum in slices of 16.
//
//   y[image][p][m] = act(sum_{r,s,c} x[image][row(p, r)][column(p, s)][c] * w[r][s][c][m] + bias[m] + residual[image][p][m])
//   row(p, r) = p / columns * stride + row_first + r * tap_step, column(p, s) alike
//   (implicit GEMM: Chetlur et al. 2014, "cuDNN", arXiv:1410.0759, section 3.1)
//
// This is the convolution (row_first = -padding, tap_step = dilation), its input gradient (the taps backwards over dy; for a
// stride one launch for each remainder of a pixel's place, which see only every y_step-th tap and pixel), Winograd's
// products and those of groups (batches, at a distance from each other in x, w and y).
//
//   x         [images][height][width][x_c4]  vec4 along channels; c4 of them are a batch's
//   w         [batches][taps][whole slices of 16 channels][m4]  vec4 along output channels; zeros from the last channel on
//   bias      [batches][m4]   read if FLAG_BIAS
//   residual  like y          read if FLAG_RESIDUAL
//   y         [splits][images][y_height][y_width][y_m4]

// A pixel of x is one four, and the taps of a row of the kernel count as its channels: the first layer's three colours.
const NARROW: bool = false;

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
        return next_tap(next);
    }
    return next;
}

// From past a tap's last slice to the first of the next tap.
fn next_tap(slice: Slice) -> Slice {
    var next = slice;
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
