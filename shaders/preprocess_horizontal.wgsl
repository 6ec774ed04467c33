// The second of two passes from a photo to a network's input: resizing along the rows, then normalising.
//
//   byte       = clamp((sum over i of weight[ox,i] * x[oy, start[ox] + i, c] + half) >> shift, 0, 255)
//   y[image,c,oy,ox] = levels[c,byte],  levels[c,v] = (v / 255 - mean[c]) / std[c]
//
// The same integers as on the CPU, then a table of the same floats, so that both give the same bits: see
// `preprocess_vertical.wgsl`, whose result this reads, and `src/kernels/preprocess_tables.rs`.
//
//   0  source  [OH,W]            read; a pixel a word: red in the lowest byte, green, blue, alpha ignored
//   1  taps    [OW, row_length]  read; a row: start, length, then the weights
//   2  levels  [3,256]           read
//   3  result  [N,3,OH,OW]       one image of a batch, number `image`, is written whole
//   4  params
//
// One invocation computes one pixel, which is one value in each of the three planes. Workgroups lie in x,
// then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;

struct Params {
    height: u32,
    width: u32,
    out_width: u32,
    row_length: u32,
    shift: u32,
    image: u32,
}

@group(0) @binding(0) var<storage, read> source: array<u32>;
@group(0) @binding(1) var<storage, read> taps: array<i32>;
@group(0) @binding(2) var<storage, read> levels: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<storage, read> params: Params;

// source[row, column] as red, green, blue; the caller stays inside.
fn load_source(row: u32, column: u32) -> vec3<i32> {
    let pixel = source[row * params.width + column];
    return vec3<i32>((vec3(pixel) >> vec3(0u, 8u, 16u)) & vec3(255u));
}

// result[image, 0..3, row, column] by the pixel's place in its plane; colours in 0..255.
fn store_result(index: u32, colours: vec3<u32>) {
    let plane = params.height * params.out_width;
    let at = params.image * 3u * plane + index;
    result[at] = levels[colours.r];
    result[at + plane] = levels[256u + colours.g];
    result[at + 2u * plane] = levels[512u + colours.b];
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.height * params.out_width {
        return;
    }
    let row = index / params.out_width;
    let tap = index % params.out_width * params.row_length;
    let start = u32(taps[tap]);
    let length = u32(taps[tap + 1u]);

    var sums = vec3(1i << (params.shift - 1u));
    for (var i = 0u; i < length; i++) {
        sums += taps[tap + 2u + i] * load_source(row, start + i);
    }
    let colours = clamp(sums >> vec3(params.shift), vec3(0i), vec3(255i));
    store_result(index, vec3<u32>(colours));
}
