// The weight gradient of a convolution in narrow groups, images channels last: parameters, bindings, loads and
// stores in fours of channels.
//
// The sum runs over all pixels of all images, so it is cut into parts of some rows of the result each;
// sum_parts.wgsl adds them.

// Weights of a row of the kernel that an invocation computes.
const TAPS: u32 = 3u;
// Whether the pixels below one weight of the row are, but for one, those below the next.
const SLIDE: bool = false;

struct Params {
    // Fours of channels of a pixel of x, of a pixel of dy; of one group in either.
    x4: u32,
    y4: u32,
    channels4: u32,
    m4: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_h: u32,
    kernel_w: u32,
    stride: u32,
    padding: u32,
    dilation: u32,
    // Rows of dy, of all images; of a part; how many parts.
    rows: u32,
    rows_of_part: u32,
    parts: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> dy: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> part: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> params: Params;

// `TAPS` weights of a row of the kernel, and the part of the sum.
struct Place {
    part: u32,
    tap_row: u32,
    first_tap: u32,
}

// Of the invocation's number without the channels.
fn place(index: u32) -> Place {
    let in_row = (params.kernel_w + TAPS - 1u) / TAPS;
    let in_part = in_row * params.kernel_h;
    let part = index / in_part;
    let rest = index - part * in_part;
    let tap_row = rest / in_row;
    return Place(part, tap_row, (rest - tap_row * in_row) * TAPS);
}

// The row of x, counted over all images, that lies below this row of the kernel for this row of dy; beyond all
// images if that is outside its image.
fn line_of_x(row: u32, tap_row: u32) -> u32 {
    let image = row / params.out_height;
    let in_image = (row - image * params.out_height) * params.stride
        + tap_row * params.dilation - params.padding;
    return select(0xffffffffu, image * params.height + in_image, in_image < params.height);
}

// The load is never left out: several without a branch between them are under way at the same time.
fn load_x(line: u32, column: u32, channel4: u32) -> vec4f {
    let inside = column < params.width;
    let value = x[(line * params.width + select(0u, column, inside)) * params.x4 + channel4];
    return select(vec4f(), value, inside);
}
