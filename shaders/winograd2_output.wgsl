// Winograd's F(2x2, 3x3), last step: the products back to pixels, with the epilogue of the convolution.
//
//   y = act(A^T p A + bias + residual)
//   A^T = [1 1 1 0; 0 1 -1 -1]
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.1)
//
//   p         [16][channels][p_stride]  columns as winograd2_input.wgsl numbers the tiles
//   bias      [channels]                read if FLAG_BIAS
//   residual  like y                    read if FLAG_RESIDUAL
//   y         [images][channels][height][width]
//
// An invocation writes the 2x2 pixels of one tile of one channel; x counts tiles, channel by channel.
//
// lib/: winograd_output.wgsl, winograd_tile.wgsl, epilogue.wgsl

const WORKGROUP: u32 = 64u;

// One row of the tile of products, times A: 2 columns.
fn load_row(first: u32, at: u32) -> vec2f {
    let step = params.channels * params.p_stride;
    let to = first * step + at;
    let p0 = p[to];
    let p1 = p[to + step];
    let p2 = p[to + 2u * step];
    let p3 = p[to + 3u * step];
    return vec2f(
        p0 + p1 + p2,
        p1 - p2 - p3,
    );
}

fn store_row(plane: u32, row: u32, column: u32, values: vec2f) {
    store_y(plane, row, column, values.x);
    store_y(plane, row, column + 1u, values.y);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let tile = tile_of(id.x);
    if tile.channel >= params.channels {
        return;
    }
    let at = tile.channel * params.p_stride + tile.index;
    let p0 = load_row(0u, at);
    let p1 = load_row(4u, at);
    let p2 = load_row(8u, at);
    let p3 = load_row(12u, at);
    var shift = 0.0;
    if (params.flags & FLAG_BIAS) != 0u {
        shift = bias[tile.channel];
    }
    let row = tile.row * 2u;
    let column = tile.column * 2u;
    store_row(tile.plane, row, column, shift + p0 + p1 + p2);
    store_row(tile.plane, row + 1u, column, shift + p1 - p2 - p3);
}
