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

const WORKGROUP: u32 = 64u;

const FLAG_BIAS: u32 = 1u;
const FLAG_RESIDUAL: u32 = 2u;
const FLAG_RELU: u32 = 4u;

struct Params {
    channels: u32,
    height: u32,
    width: u32,
    tiles_y: u32,
    tiles_x: u32,
    tiles: u32,
    p_stride: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> p: array<f32>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> residual: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@group(0) @binding(4) var<storage, read> params: Params;

fn store_y(plane: u32, row: u32, column: u32, value: f32) {
    if row >= params.height || column >= params.width {
        return;
    }
    let at = (plane * params.height + row) * params.width + column;
    var sum = value;
    if (params.flags & FLAG_RESIDUAL) != 0u {
        sum += residual[at];
    }
    if (params.flags & FLAG_RELU) != 0u {
        sum = max(sum, 0.0);
    }
    y[at] = sum;
}

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
    let at = channel * params.p_stride + tile;
    let p0 = load_row(0u, at);
    let p1 = load_row(4u, at);
    let p2 = load_row(8u, at);
    let p3 = load_row(12u, at);
    var shift = 0.0;
    if (params.flags & FLAG_BIAS) != 0u {
        shift = bias[channel];
    }
    let row = tile_y * 2u;
    let column = tile_x * 2u;
    store_row(plane, row, column, shift + p0 + p1 + p2);
    store_row(plane, row + 1u, column, shift + p1 - p2 - p3);
}
