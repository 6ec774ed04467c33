// Parameters, bindings and loads of the transform of the filters, for tiles of either size; the kernel's header has the layouts.

struct Params {
    m: u32,
    channels: u32,
    m_stride: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_row(row: u32, channel: u32, r: u32) -> vec3f {
    if row >= params.m {
        return vec3f();
    }
    let at = ((row * params.channels + channel) * 3u + r) * 3u;
    return vec3f(w[at], w[at + 1u], w[at + 2u]);
}
