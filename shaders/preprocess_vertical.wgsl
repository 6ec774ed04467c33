// The first of two passes from a photo to a network's input: resizing down the columns.
//
//   y[oy,x,c] = clamp((sum over i of weight[oy,i] * x[start[oy] + i, x, c] + half) >> shift, 0, 255)
//
// The same integers as on the CPU, so that both give the same bytes: weights are a triangle filter as wide
// as the scale (antialiased bilinear) in fixed point with `shift` bits after the point, `half` is one half
// in that format, and the result is rounded to 8 bits before the rows' turn. The weights come from
// `src/kernels/preprocess_tables.rs`, which says more.
//
//   0  source  [H,W]             read; a pixel a word: red in the lowest byte, green, blue, alpha ignored
//   1  taps    [OH, row_length]  read; a row: start, length, then the weights
//   2  result  [OH,W]            written whole; pixels as in source, alpha 255
//   3  params
//
// One invocation computes one pixel. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;

struct Params {
    width: u32,
    out_height: u32,
    row_length: u32,
    shift: u32,
}

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read> taps: array<i32>;
@group(0) @binding(2) var<storage, read_write> result: array<u32>;
@group(0) @binding(3) var<storage, read> params: Params;

// source[row, column] as red, green, blue; the caller stays inside.
fn load_source(row: u32, column: u32) -> vec3<i32> {
    let pixel = source[row * params.width + column];
    return vec3<i32>((vec3(pixel) >> vec3(0u, 8u, 16u)) & vec3(255u));
}

// result[row, column] by its place in memory; colours in 0..255.
fn store_result(index: u32, colours: vec3<u32>) {
    result[index] = colours.r | (colours.g << 8u) | (colours.b << 16u) | (255u << 24u);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.out_height * params.width {
        return;
    }
    let column = index % params.width;
    let tap = index / params.width * params.row_length;
    let start = u32(taps[tap]);
    let length = u32(taps[tap + 1u]);

    var sums = vec3(1i << (params.shift - 1u));
    for (var i = 0u; i < length; i++) {
        sums += taps[tap + 2u + i] * load_source(start + i, column);
    }
    let colours = clamp(sums >> vec3(params.shift), vec3(0i), vec3(255i));
    store_result(index, vec3<u32>(colours));
}
