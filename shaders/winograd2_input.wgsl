// Winograd's F(2x2, 3x3), first step: the input, tile by tile, to the basis of the product.
//
//   v = B^T d B, d the 4x4 pixels under a tile of 2x2 outputs of a 3x3 convolution, stride 1
//   B^T = [1 0 -1 0; 0 1 1 0; 0 -1 1 0; 0 1 0 -1]
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.1)
//
//   x  [images][channels][height][width]
//   v  [16][channels][v_stride]  column = (image * tiles_y + tile_y) * tiles_x + tile_x
//
// An invocation transforms one tile of one channel; x counts tiles, channel by channel.

const WORKGROUP: u32 = 64u;

struct Params {
    channels: u32,
    height: u32,
    width: u32,
    padding: u32,
    tiles_y: u32,
    tiles_x: u32,
    tiles: u32,
    v_stride: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> v: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

// Zero outside the image. A negative coordinate wraps round to a large one.
fn load_x(plane: u32, row: u32, column: u32) -> f32 {
    if row >= params.height || column >= params.width {
        return 0.0;
    }
    return x[(plane * params.height + row) * params.width + column];
}

struct Row {
    left: vec2f,
    right: vec2f,
}

fn load_row(plane: u32, row: u32, column: u32) -> Row {
    return Row(
        vec2f(load_x(plane, row, column), load_x(plane, row, column + 1u)),
        vec2f(load_x(plane, row, column + 2u), load_x(plane, row, column + 3u)),
    );
}

// One row of B^T d, times B, to its 4 matrices.
fn store_row(first: u32, at: u32, left: vec2f, right: vec2f) {
    let step = params.channels * params.v_stride;
    let to = first * step + at;
    v[to] = left.x - right.x;
    v[to + step] = left.y + right.x;
    v[to + 2u * step] = -left.y + right.x;
    v[to + 3u * step] = left.y - right.y;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    // 1. index to channel and tile, 2. tile to image and tile in it, 3. that to its row and column.
    let channel = id.x / params.tiles;
    let tile = id.x - channel * params.tiles;
    if channel >= params.channels {
        return;
    }
    let tiles_an_image = params.tiles_y * params.tiles_x;
    let image = tile / tiles_an_image;
    let in_image = tile - image * tiles_an_image;
    let tile_y = in_image / params.tiles_x;
    let tile_x = in_image - tile_y * params.tiles_x;
    let plane = image * params.channels + channel;
    let row = tile_y * 2u - params.padding;
    let column = tile_x * 2u - params.padding;
    let d0 = load_row(plane, row, column);
    let d1 = load_row(plane, row + 1u, column);
    let d2 = load_row(plane, row + 2u, column);
    let d3 = load_row(plane, row + 3u, column);
    let at = channel * params.v_stride + tile;
    store_row(0u, at, d0.left - d2.left, d0.right - d2.right);
    store_row(4u, at, d1.left + d2.left, d1.right + d2.right);
    store_row(8u, at, -d1.left + d2.left, -d1.right + d2.right);
    store_row(12u, at, d1.left - d3.left, d1.right - d3.right);
}
