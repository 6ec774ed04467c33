// Winograd's F(4x4, 3x3), first step: the input, tile by tile, to the basis of the product.
//
//   v = B^T d B, d the 6x6 pixels under a tile of 4x4 outputs of a 3x3 convolution, stride 1
//   B^T = [4 0 -5 0 1 0; 0 -4 -4 1 1 0; 0 4 -4 -1 1 0; 0 -2 -1 2 1 0; 0 2 -1 -2 1 0; 0 4 0 -5 0 1]
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.2)
//
//   x  [images][channels][height][width]
//   v  [36][channels][v_stride]  column = (image * tiles_y + tile_y) * tiles_x + tile_x
//
// An invocation transforms one tile of one channel; x counts tiles, channel by channel.
//
// lib/: winograd_input.wgsl, winograd_tile.wgsl, image.wgsl

const WORKGROUP: u32 = 64u;

struct Row {
    left: vec3f,
    right: vec3f,
}

fn load_row(plane: u32, row: u32, column: u32) -> Row {
    return Row(
        vec3f(load_x(plane, row, column), load_x(plane, row, column + 1u), load_x(plane, row, column + 2u)),
        vec3f(load_x(plane, row, column + 3u), load_x(plane, row, column + 4u), load_x(plane, row, column + 5u)),
    );
}

// One row of B^T d, times B, to its 6 matrices.
fn store_row(first: u32, at: u32, left: vec3f, right: vec3f) {
    let step = params.channels * params.v_stride;
    let to = first * step + at;
    v[to] = 4.0 * left.x - 5.0 * left.z + right.y;
    v[to + step] = -4.0 * left.y - 4.0 * left.z + right.x + right.y;
    v[to + 2u * step] = 4.0 * left.y - 4.0 * left.z - right.x + right.y;
    v[to + 3u * step] = -2.0 * left.y - left.z + 2.0 * right.x + right.y;
    v[to + 4u * step] = 2.0 * left.y - left.z - 2.0 * right.x + right.y;
    v[to + 5u * step] = 4.0 * left.y - 5.0 * right.x + right.z;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let tile = tile_of(id.x);
    if tile.channel >= params.channels {
        return;
    }
    let row = tile.row * 4u - params.padding;
    let column = tile.column * 4u - params.padding;
    let d0 = load_row(tile.plane, row, column);
    let d1 = load_row(tile.plane, row + 1u, column);
    let d2 = load_row(tile.plane, row + 2u, column);
    let d3 = load_row(tile.plane, row + 3u, column);
    let d4 = load_row(tile.plane, row + 4u, column);
    let d5 = load_row(tile.plane, row + 5u, column);
    let at = tile.channel * params.v_stride + tile.index;
    store_row(0u, at, 4.0 * d0.left - 5.0 * d2.left + d4.left, 4.0 * d0.right - 5.0 * d2.right + d4.right);
    store_row(6u, at, -4.0 * d1.left - 4.0 * d2.left + d3.left + d4.left, -4.0 * d1.right - 4.0 * d2.right + d3.right + d4.right);
    store_row(12u, at, 4.0 * d1.left - 4.0 * d2.left - d3.left + d4.left, 4.0 * d1.right - 4.0 * d2.right - d3.right + d4.right);
    store_row(18u, at, -2.0 * d1.left - d2.left + 2.0 * d3.left + d4.left, -2.0 * d1.right - d2.right + 2.0 * d3.right + d4.right);
    store_row(24u, at, 2.0 * d1.left - d2.left - 2.0 * d3.left + d4.left, 2.0 * d1.right - d2.right - 2.0 * d3.right + d4.right);
    store_row(30u, at, 4.0 * d1.left - 5.0 * d3.left + d5.left, 4.0 * d1.right - 5.0 * d3.right + d5.right);
}
