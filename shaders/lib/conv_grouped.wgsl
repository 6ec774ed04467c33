// A convolution in narrow groups on images with channels last, and its input gradient: parameters, bindings,
// where an invocation's results are, which pixels of x lie below them, loads and stores in fours of channels.
//
// The input gradient is the same sum with the roles changed: x is the gradient of the result, and result p gets
// from weight r what lies at (p + padding - r * dilation) / stride, where that is whole (transposed convolution:
// Dumoulin and Visin 2016, arXiv:1603.07285, section 4). Results `stride` pixels apart take the same weights, so
// an invocation takes a strip of those, and none of its loads is in vain.

// Whether it is the input gradient.
const BACKWARD: bool = false;
// Whether the pixels below one weight are, but for one, those below the next.
const SLIDE: bool = false;
// Weights of a row that every result takes, for a loop of known length; 0 if there is no such number.
const KERNEL_W: u32 = 0u;
// Pixels of an invocation.
const PIXELS: u32 = 4u;

struct Params {
    images: u32,
    // Fours of channels of a pixel of x, of a pixel of y; of one group in either.
    x4: u32,
    y4: u32,
    channels4: u32,
    m4: u32,
    // Sizes of x, and of y.
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_h: u32,
    kernel_w: u32,
    // Of the forward convolution.
    stride: u32,
    padding: u32,
    dilation: u32,
    // Weights, and pixels of x, from one weight below which x is to the next.
    tap_step: u32,
    advance: u32,
    // Invocations that share a row of y.
    strips: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> w: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> residual: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> y: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> params: Params;

// Where an invocation's results are: a strip of `PIXELS` of a row, `spacing()` apart.
struct Place {
    image: u32,
    row: u32,
    column: u32,
    channel4: u32,
}

fn spacing() -> u32 {
    if BACKWARD {
        return params.stride;
    }
    return 1u;
}

fn place(index: u32) -> Place {
    // 1. index to row and rest, 2. row to image and row, 3. rest to strip and channels.
    let in_row = params.strips * params.y4;
    let line = index / in_row;
    let rest = index - line * in_row;
    let image = line / params.out_height;
    let strip = rest / params.y4;
    var column = strip * PIXELS;
    if BACKWARD {
        column = strip / params.stride * PIXELS * params.stride + strip % params.stride;
    }
    return Place(image, line - image * params.out_height, column, rest - strip * params.y4);
}

// The weights along an axis below which x is, from left to right: the first of them, how many there are, and the
// row or column of x below the first. A negative one wraps round to a large one.
struct Taps {
    first: u32,
    count: u32,
    start: u32,
}

fn taps(position: u32, kernel: u32) -> Taps {
    if !BACKWARD {
        return Taps(0u, kernel, position * params.stride - params.padding);
    }
    let stride = params.stride;
    let dilation = params.dilation;
    let shifted = position + params.padding;
    for (var i = 1u; i <= min(kernel, params.tap_step); i++) {
        let tap = kernel - i;
        // As (shifted - tap * dilation) % stride, but never negative.
        if (shifted + tap * dilation * (stride - 1u)) % stride == 0u {
            let start = (i32(shifted) - i32(tap * dilation)) / i32(stride);
            return Taps(tap, tap / params.tap_step + 1u, bitcast<u32>(start));
        }
    }
    return Taps(0u, 0u, 0u);
}

// The number of the weight that is `i` further on.
fn tap(taps: Taps, i: u32) -> u32 {
    if BACKWARD {
        return taps.first - i * params.tap_step;
    }
    return taps.first + i;
}

// Pixels of x between those below a weight of two neighbouring results.
fn x_step() -> u32 {
    if BACKWARD {
        return 1u;
    }
    return params.stride;
}

// The load is never left out: four without a branch between them are under way at the same time.
fn load_x(line: u32, column: u32, channel4: u32) -> vec4f {
    let inside = column < params.width;
    let value = x[(line + select(0u, column, inside)) * params.x4 + channel4];
    return select(vec4f(), value, inside);
}

// What a sum begins with: the bias, loaded along with the first pixels.
fn first_sum(at: Place) -> vec4f {
    if (params.flags & FLAG_BIAS) != 0u {
        return bias[at.channel4];
    }
    return vec4f();
}

fn store_y(at: Place, j: u32, sum: vec4f) {
    let column = at.column + j * spacing();
    if column >= params.out_width {
        return;
    }
    let pixel = (at.image * params.out_height + at.row) * params.out_width + column;
    let index = pixel * params.y4 + at.channel4;
    y[index] = finish(sum, index);
}
