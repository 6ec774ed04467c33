// Images channels last, with zeros behind each pixel's channels up to a whole four.
//
//   x  [pixels][channels]
//   y  [pixels][c4]  vec4 along channels
//
// An invocation writes one four; x counts them, y the rows of workgroups where one is too short.

const WORKGROUP: u32 = 64u;

struct Params {
    fours: u32,
    channels: u32,
    c4: u32,
}

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_x(pixel: u32, channel: u32) -> f32 {
    if channel >= params.channels {
        return 0.0;
    }
    return x[pixel * params.channels + channel];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) workgroups: vec3u) {
    let four = id.y * workgroups.x * WORKGROUP + id.x;
    if four >= params.fours {
        return;
    }
    let pixel = four / params.c4;
    let first = (four - pixel * params.c4) * 4u;
    y[four] = vec4f(
        load_x(pixel, first),
        load_x(pixel, first + 1u),
        load_x(pixel, first + 2u),
        load_x(pixel, first + 3u),
    );
}
