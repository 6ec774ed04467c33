// Winograd's F(4x4, 3x3), first step, images channels last: the input, tile by tile, to the basis of the product.
//
//   v = B^T d B, d the 6x6 pixels under a tile of 4x4 outputs of a 3x3 convolution, stride 1; B^T as in winograd4_input.wgsl
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.2)
//
//   x  [images][height][width][c4]  vec4 along channels
//   v  [36][tiles][c4]              tile = (image * tiles_y + tile_y) * tiles_x + tile_x
//
// An invocation transforms one tile of four channels; x counts fours of channels of all tiles, y the rows of workgroups
// where one is too short.

const WORKGROUP: u32 = 64u;

struct Params {
    height: u32,
    width: u32,
    c4: u32,
    padding: u32,
    tiles_y: u32,
    tiles_x: u32,
    tiles: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> v: array<vec4f>;
@group(0) @binding(2) var<storage, read> params: Params;

// Six values of a row or a column.
struct Six {
    a: vec4f,
    b: vec4f,
    c: vec4f,
    d: vec4f,
    e: vec4f,
    f: vec4f,
}

// Zero outside the image. A negative coordinate wraps round to a large one.
fn load_x(first: u32, row: u32, column: u32) -> vec4f {
    let inside = row < params.height && column < params.width;
    let at = first + (row * params.width + column) * params.c4;
    return select(vec4f(), x[select(0u, at, inside)], inside);
}

// A row of the tile, times B.
fn load_row(first: u32, row: u32, column: u32) -> Six {
    return times_b(Six(
        load_x(first, row, column),
        load_x(first, row, column + 1u),
        load_x(first, row, column + 2u),
        load_x(first, row, column + 3u),
        load_x(first, row, column + 4u),
        load_x(first, row, column + 5u),
    ));
}

fn times_b(d: Six) -> Six {
    return Six(
        4.0 * d.a - 5.0 * d.c + d.e,
        -4.0 * d.b - 4.0 * d.c + d.d + d.e,
        4.0 * d.b - 4.0 * d.c - d.d + d.e,
        -2.0 * d.b - d.c + 2.0 * d.d + d.e,
        2.0 * d.b - d.c - 2.0 * d.d + d.e,
        4.0 * d.b - 5.0 * d.d + d.f,
    );
}

// A column of the transformed tile.
fn store_column(column: u32, four: u32, d: Six) {
    let values = times_b(d);
    let step = params.tiles * params.c4;
    let at = column * step + four;
    v[at] = values.a;
    v[at + 6u * step] = values.b;
    v[at + 12u * step] = values.c;
    v[at + 18u * step] = values.d;
    v[at + 24u * step] = values.e;
    v[at + 30u * step] = values.f;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let four = id.y * workgroups.x * WORKGROUP + id.x;
    if four >= params.tiles * params.c4 {
        return;
    }
    // 1. index to tile and channels, 2. tile to image and tile in it, 3. that to its row and column.
    let tile = four / params.c4;
    let tiles_an_image = params.tiles_y * params.tiles_x;
    let image = tile / tiles_an_image;
    let in_image = tile - image * tiles_an_image;
    let tile_y = in_image / params.tiles_x;
    let row = tile_y * 4u - params.padding;
    let column = (in_image - tile_y * params.tiles_x) * 4u - params.padding;
    let first = image * params.height * params.width * params.c4 + four - tile * params.c4;
    let d0 = load_row(first, row, column);
    let d1 = load_row(first, row + 1u, column);
    let d2 = load_row(first, row + 2u, column);
    let d3 = load_row(first, row + 3u, column);
    let d4 = load_row(first, row + 4u, column);
    let d5 = load_row(first, row + 5u, column);
    store_column(0u, four, Six(d0.a, d1.a, d2.a, d3.a, d4.a, d5.a));
    store_column(1u, four, Six(d0.b, d1.b, d2.b, d3.b, d4.b, d5.b));
    store_column(2u, four, Six(d0.c, d1.c, d2.c, d3.c, d4.c, d5.c));
    store_column(3u, four, Six(d0.d, d1.d, d2.d, d3.d, d4.d, d5.d));
    store_column(4u, four, Six(d0.e, d1.e, d2.e, d3.e, d4.e, d5.e));
    store_column(5u, four, Six(d0.f, d1.f, d2.f, d3.f, d4.f, d5.f));
}
