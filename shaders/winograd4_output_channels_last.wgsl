// Winograd's F(4x4, 3x3), last step, images channels last: the products back to pixels, with the epilogue of the convolution.
//
//   y = act(A^T p A + bias + residual), A^T as in winograd4_output.wgsl
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.2)
//
//   p         [36][tiles][m4]               vec4 along channels, tiles as winograd4_input_channels_last.wgsl numbers them
//   bias      [m4]                          read if FLAG_BIAS
//   residual  like y                        read if FLAG_RESIDUAL
//   y         [images][height][width][m4]
//
// An invocation writes the 4x4 pixels of one tile of four channels; x counts fours of channels of all tiles, y the rows of
// workgroups where one is too short.
//
// lib/: epilogue4.wgsl

const WORKGROUP: u32 = 64u;

struct Params {
    height: u32,
    width: u32,
    m4: u32,
    tiles_y: u32,
    tiles_x: u32,
    tiles: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> p: array<vec4f>;
@group(0) @binding(1) var<storage, read> bias: array<vec4f>;
@group(0) @binding(2) var<storage, read> residual: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(4) var<storage, read> params: Params;

// Four values of a row or a column.
struct Four {
    a: vec4f,
    b: vec4f,
    c: vec4f,
    d: vec4f,
}

fn times_a(p0: vec4f, p1: vec4f, p2: vec4f, p3: vec4f, p4: vec4f, p5: vec4f) -> Four {
    return Four(
        p0 + p1 + p2 + p3 + p4,
        p1 - p2 + 2.0 * p3 - 2.0 * p4,
        p1 + p2 + 4.0 * p3 + 4.0 * p4,
        p1 - p2 + 8.0 * p3 - 8.0 * p4 + p5,
    );
}

// A row of the tile of products, times A.
fn load_row(first: u32, four: u32) -> Four {
    let step = params.tiles * params.m4;
    let at = first * step + four;
    return times_a(p[at], p[at + step], p[at + 2u * step], p[at + 3u * step], p[at + 4u * step], p[at + 5u * step]);
}

fn store_y(first: u32, row: u32, column: u32, value: vec4f) {
    if row >= params.height || column >= params.width {
        return;
    }
    let at = first + (row * params.width + column) * params.m4;
    y[at] = finish(value, at);
}

fn store_column(first: u32, row: u32, column: u32, shift: vec4f, values: Four) {
    store_y(first, row, column, values.a + shift);
    store_y(first, row + 1u, column, values.b + shift);
    store_y(first, row + 2u, column, values.c + shift);
    store_y(first, row + 3u, column, values.d + shift);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let four = id.y * workgroups.x * WORKGROUP + id.x;
    if four >= params.tiles * params.m4 {
        return;
    }
    let tile = four / params.m4;
    let m4 = four - tile * params.m4;
    let tiles_an_image = params.tiles_y * params.tiles_x;
    let image = tile / tiles_an_image;
    let in_image = tile - image * tiles_an_image;
    let tile_y = in_image / params.tiles_x;
    let row = tile_y * 4u;
    let column = (in_image - tile_y * params.tiles_x) * 4u;
    let first = image * params.height * params.width * params.m4 + m4;
    let p0 = load_row(0u, four);
    let p1 = load_row(6u, four);
    let p2 = load_row(12u, four);
    let p3 = load_row(18u, four);
    let p4 = load_row(24u, four);
    let p5 = load_row(30u, four);
    var shift = vec4f();
    if (params.flags & FLAG_BIAS) != 0u {
        shift = bias[m4];
    }
    store_column(first, row, column, shift, times_a(p0.a, p1.a, p2.a, p3.a, p4.a, p5.a));
    store_column(first, row, column + 1u, shift, times_a(p0.b, p1.b, p2.b, p3.b, p4.b, p5.b));
    store_column(first, row, column + 2u, shift, times_a(p0.c, p1.c, p2.c, p3.c, p4.c, p5.c));
    store_column(first, row, column + 3u, shift, times_a(p0.d, p1.d, p2.d, p3.d, p4.d, p5.d));
}
