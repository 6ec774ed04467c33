// Convolution as a matrix product that is never laid out in memory, images channels last, without workgroup memory: for
// GPUs that have none of their own, as ARM's, where it lies in the cache and a barrier only costs.
//
// The sum, what else it is besides a convolution, and the buffers stand in lib/conv_channels_last.wgsl.
//
// Ladder: one result an invocation; 4 pixels by 8 channels, 32 sums in registers, which phones have (Mali 64 registers,
// Adreno spills from 64 sums on); the other way round, 8 pixels by 4 channels, takes twice the places and zeros outside
// the image; loads of four channels straight from memory, neighbouring invocations the same pixels and neighbouring
// weights; places and whether they are inside once a tap. 12 loads feed 128 multiply-adds, from the first cache: a chip
// with workgroup memory of its own is faster with conv_channels_last.wgsl.
//
// An invocation computes 4 pixels by 2 fours of channels (m4 > 1); x counts these, channels fastest, then pixels over
// all images, from the launch's first one; z counts the parts of each batch's sum.
//
// lib/: conv_channels_last.wgsl, epilogue4.wgsl

const WORKGROUP: u32 = 64u;

// A pixel of x under a tap: the first of its fours of channels, and whether there is such a pixel. Where `NARROW`, its
// k-th four is the pixel k further on, and `column` says where that is; far outside if the row is.
struct Pixel {
    at: u32,
    inside: bool,
    column: u32,
}

const OUTSIDE: u32 = 0x80000000u;

fn pixel_of(start: Window, slice: Slice) -> Pixel {
    let in_row = start.row + slice.down < params.height;
    let at = start.at + slice.x;
    if NARROW {
        return Pixel(at, in_row, select(OUTSIDE, start.column + slice.c, in_row));
    }
    let column = start.column + slice.along;
    let inside = in_row && column < params.width;
    return Pixel(select(0u, at, inside), inside, column);
}

// Its k-th four. The load is never left out: those without a branch between them are under way together.
fn load_four(pixel: Pixel, k: u32) -> vec4f {
    if NARROW {
        let inside = pixel.column + k < params.width;
        return select(vec4f(), x[select(0u, pixel.at + k, inside)], inside);
    }
    return select(vec4f(), x[pixel.at + k], pixel.inside);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let batch = group.z / params.splits;
    let split = group.z - batch * params.splits;
    let m4 = params.m4;
    let pairs = (m4 + 1u) / 2u;
    let invocation = (params.first_tile + group.x) * WORKGROUP + thread;
    let tile = invocation / pairs;
    let p = tile * 4u;
    if p >= params.images * params.rows * params.columns {
        return;
    }
    // The last pair of an odd number of fours begins within the one before.
    let own_four = (invocation - tile * pairs) * 2u;
    let four = min(own_four, m4 - 2u);
    let window0 = window(batch, p, 0u);
    let window1 = window(batch, p + 1u, 0u);
    let window2 = window(batch, p + 2u, 0u);
    let window3 = window(batch, p + 3u, 0u);

    let slices = params.taps_h * params.taps_w * ((params.c4 + 3u) / 4u);
    let first = split * params.split_slices;
    let last = min(first + params.split_slices, slices);
    var slice = slice_of(batch, first);
    // sum[pixel][four]
    var sum00 = vec4f();
    var sum10 = vec4f();
    var sum20 = vec4f();
    var sum30 = vec4f();
    var sum01 = vec4f();
    var sum11 = vec4f();
    var sum21 = vec4f();
    var sum31 = vec4f();
    var index = first;
    while index < last {
        // The fours of this tap, as far as they are in this part of the sum.
        let count = min(params.c4 - slice.c, (last - index) * 4u);
        let pixel0 = pixel_of(window0, slice);
        let pixel1 = pixel_of(window1, slice);
        let pixel2 = pixel_of(window2, slice);
        let pixel3 = pixel_of(window3, slice);
        var row0 = slice.w + four;
        for (var k = 0u; k < count; k++) {
            // The weights first: once a pixel is there they all are, and AMD's compiler waits four times, not twelve.
            let row1 = row0 + m4;
            let row2 = row0 + 2u * m4;
            let row3 = row0 + 3u * m4;
            let w00 = w[row0];
            let w01 = w[row0 + 1u];
            let w10 = w[row1];
            let w11 = w[row1 + 1u];
            let w20 = w[row2];
            let w21 = w[row2 + 1u];
            let w30 = w[row3];
            let w31 = w[row3 + 1u];
            let x0 = load_four(pixel0, k);
            let x1 = load_four(pixel1, k);
            let x2 = load_four(pixel2, k);
            let x3 = load_four(pixel3, k);
            sum00 = add(sum00, x0, w00, w10, w20, w30);
            sum10 = add(sum10, x1, w00, w10, w20, w30);
            sum20 = add(sum20, x2, w00, w10, w20, w30);
            sum30 = add(sum30, x3, w00, w10, w20, w30);
            sum01 = add(sum01, x0, w01, w11, w21, w31);
            sum11 = add(sum11, x1, w01, w11, w21, w31);
            sum21 = add(sum21, x2, w01, w11, w21, w31);
            sum31 = add(sum31, x3, w01, w11, w21, w31);
            row0 += 4u * m4;
        }
        let passed = (count + 3u) / 4u;
        index += passed;
        slice.x += passed * 4u;
        slice.w += passed * 16u * m4;
        slice = next_tap(slice);
    }
    let next = four + 1u;
    store_y(batch, split, p, next, sum01);
    store_y(batch, split, p + 1u, next, sum11);
    store_y(batch, split, p + 2u, next, sum21);
    store_y(batch, split, p + 3u, next, sum31);
    if four == own_four {
        store_y(batch, split, p, four, sum00);
        store_y(batch, split, p + 1u, four, sum10);
        store_y(batch, split, p + 2u, four, sum20);
        store_y(batch, split, p + 3u, four, sum30);
    }
}
