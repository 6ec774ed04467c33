// How fast this GPU multiplies and adds in f32: what a kernel's share of the peak is measured by.
//
//   y[i] = sum over the 16 chains c of x[i,c] after 8 * rounds steps of  x = x * factor + addend,
//   x[i,c] starting as i mod 64 + c
//
// The method is clpeak's: https://github.com/krrishnarajx/clpeak, single-precision compute.
//
//   0  y       [I]  written whole
//   1  params
//
// One invocation runs 16 chains in registers, as four vectors. No step of a chain waits for another chain, and
// there is no memory to wait for. A round is 128 multiply-adds for one comparison and one branch. FUSED spells a
// step as fma(), else it is left to the driver whether to fuse: the kernels here do the latter, and the peak is
// the faster of the two.

const WORKGROUP: u32 = 256u;
const FUSED: bool = false;

struct Params {
    invocations: u32,
    rounds: u32,
    factor: f32,
    addend: f32,
}

@group(0) @binding(0) var<storage, read_write> y: array<f32>;
@group(0) @binding(1) var<storage, read> params: Params;

// y[index], of which there are as many as invocations.
fn store_y(index: u32, value: f32) {
    if index < params.invocations {
        y[index] = value;
    }
}

fn step(x: vec4<f32>, factor: vec4<f32>, addend: vec4<f32>) -> vec4<f32> {
    if FUSED {
        return fma(x, factor, addend);
    }
    return x * factor + addend;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let f = vec4(params.factor);
    let g = vec4(params.addend);
    let start = vec4(0.0f, 1.0f, 2.0f, 3.0f) + f32(id.x % 64u);
    var a = start;
    var b = start + 4.0f;
    var c = start + 8.0f;
    var d = start + 12.0f;
    for (var round = 0u; round < params.rounds; round++) {
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
        a = step(a, f, g); b = step(b, f, g); c = step(c, f, g); d = step(d, f, g);
    }
    let sums = (a + b) + (c + d);
    store_y(id.x, (sums.x + sums.y) + (sums.z + sums.w));
}
