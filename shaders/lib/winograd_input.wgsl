// Parameters and bindings of the transform of the input, for tiles of either size; the kernel's header has the layouts.

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
