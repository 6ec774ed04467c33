// Parameters and bindings of the batched matrix product; each kernel's header has the layouts.

struct Params {
    m: u32,
    n: u32,
    k: u32,
    a_batches: u32,
    m4: u32,
    b_stride: u32,
    c_stride: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4f>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<f32>;
@group(0) @binding(4) var<storage, read_write> c: array<f32>;
@group(0) @binding(5) var<storage, read> params: Params;
