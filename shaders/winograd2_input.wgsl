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
//
// lib/: winograd_input.wgsl, winograd_tile.wgsl, image.wgsl

const WORKGROUP: u32 = 64u;

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
    let tile = tile_of(id.x);
    if tile.channel >= params.channels {
        return;
    }
    let row = tile.row * 2u - params.padding;
    let column = tile.column * 2u - params.padding;
    let d0 = load_row(tile.plane, row, column);
    let d1 = load_row(tile.plane, row + 1u, column);
    let d2 = load_row(tile.plane, row + 2u, column);
    let d3 = load_row(tile.plane, row + 3u, column);
    let at = tile.channel * params.v_stride + tile.index;
    store_row(0u, at, d0.left - d2.left, d0.right - d2.right);
    store_row(4u, at, d1.left + d2.left, d1.right + d2.right);
    store_row(8u, at, -d1.left + d2.left, -d1.right + d2.right);
    store_row(12u, at, d1.left - d3.left, d1.right - d3.right);
}
