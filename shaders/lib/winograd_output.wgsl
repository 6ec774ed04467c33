// Parameters, bindings and stores of the transform of the products, for tiles of either size; the kernel's header has the layouts.

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
    y[at] = finish(value, at);
}
