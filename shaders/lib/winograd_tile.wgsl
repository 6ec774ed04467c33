// Which tile an invocation of Winograd's transforms has.
//
// The kernel declares `params.channels`, `params.tiles_y`, `params.tiles_x` and `params.tiles`, those of all
// images.

struct Tile {
    channel: u32,
    // Among the tiles of all images.
    index: u32,
    // image * channels + channel
    plane: u32,
    row: u32,
    column: u32,
}

fn tile_of(id: u32) -> Tile {
    // 1. index to channel and tile, 2. tile to image and tile in it, 3. that to its row and column.
    let channel = id / params.tiles;
    let tile = id - channel * params.tiles;
    let tiles_an_image = params.tiles_y * params.tiles_x;
    let image = tile / tiles_an_image;
    let in_image = tile - image * tiles_an_image;
    let row = in_image / params.tiles_x;
    let column = in_image - row * params.tiles_x;
    return Tile(channel, tile, image * params.channels + channel, row, column);
}
