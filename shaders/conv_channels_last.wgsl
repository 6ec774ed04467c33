// Convolution as a matrix product that is never laid out in memory, images channels last, for GPUs.
//
// The sum, what else it is besides a convolution, and the buffers stand in lib/conv_channels_last.wgsl.
//
// Ladder: one result a thread; TILE_P x TILE_M a workgroup through workgroup memory (Volkov and Demmel 2008,
// "Benchmarking GPUs to tune dense linear algebra"); PIXELS x FOURS * 4 results a thread in registers; loads of four
// channels, as many in every slice, so that nothing branches; the next slice on its way while this one is multiplied; named
// sums, which no compiler takes for memory; the sum in parts where there are few results. Without workgroup memory:
// conv_channels_last_registers.wgsl.
//
// A workgroup computes TILE_P pixels by TILE_M4 fours of channels, a thread PIXELS by FOURS of them; x counts tiles of
// pixels over all images from the launch's first one, y tiles of channels, z the parts of each batch's sum.
//
// lib/: conv_channels_last.wgsl, epilogue4.wgsl

// Threads along output channels and along pixels, and what each computes.
const THREADS_M: u32 = 8u;
const THREADS_P: u32 = 8u;
const PIXELS: u32 = 8u;
const FOURS: u32 = 2u;

const THREADS: u32 = THREADS_M * THREADS_P;
const TILE_P: u32 = THREADS_P * PIXELS;
const TILE_M4: u32 = THREADS_M * FOURS;
// A row of pixels in workgroup memory, longer by two so that neighbours in k lie in different banks.
const ROW: u32 = TILE_P + 2u;
// What a thread loads of a slice, and how far apart: pixels, rows of the weights.
const LOADS_X: u32 = TILE_P * 4u / THREADS;
const STEP_X: u32 = THREADS / 4u;
const LOADS_W: u32 = 16u * TILE_M4 / THREADS;
const STEP_W: u32 = THREADS / TILE_M4;

var<workgroup> slice_x: array<vec4f, 4u * ROW>;
var<workgroup> slice_w: array<vec4f, 16u * TILE_M4>;

@compute @workgroup_size(THREADS_M, THREADS_P)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let batch = group.z / params.splits;
    let split = group.z - batch * params.splits;
    let first_p = (params.first_tile + group.x) * TILE_P;
    let first_m4 = group.y * TILE_M4;
    // What this thread loads: a four of channels of every STEP_X-th pixel, a column of every STEP_W-th row of the weights.
    let lane = thread % 4u;
    let pixel = thread / 4u;
    let window0 = window(batch, first_p + pixel, lane);
    let window1 = window(batch, first_p + pixel + STEP_X, lane);
    let window2 = window(batch, first_p + pixel + 2u * STEP_X, lane);
    let window3 = window(batch, first_p + pixel + 3u * STEP_X, lane);
    let m4 = params.m4;
    let column = thread / TILE_M4 * m4 + min(first_m4 + thread % TILE_M4, m4 - 1u);

    let slices = params.taps_h * params.taps_w * ((params.c4 + 3u) / 4u);
    let first = split * params.split_slices;
    let last = min(first + params.split_slices, slices);
    var slice = slice_of(batch, first);
    var x0 = vec4f();
    var inside0 = false;
    var x1 = vec4f();
    var inside1 = false;
    var x2 = vec4f();
    var inside2 = false;
    var x3 = vec4f();
    var inside3 = false;
    var w0 = vec4f();
    var w1 = vec4f();
    var w2 = vec4f();
    var w3 = vec4f();
    if first < last {
        inside0 = is_inside(window0, slice, lane);
        x0 = load_x(window0, slice, inside0);
        inside1 = is_inside(window1, slice, lane);
        x1 = load_x(window1, slice, inside1);
        let at = slice.w + column;
        w0 = w[at];
        w1 = w[at + STEP_W * m4];
        if LOADS_X > 2u {
            inside2 = is_inside(window2, slice, lane);
            x2 = load_x(window2, slice, inside2);
            inside3 = is_inside(window3, slice, lane);
            x3 = load_x(window3, slice, inside3);
        }
        if LOADS_W > 2u {
            w2 = w[at + 2u * STEP_W * m4];
            w3 = w[at + 3u * STEP_W * m4];
        }
    }
    // sum[pixel][four]
    var sum00 = vec4f();
    var sum10 = vec4f();
    var sum20 = vec4f();
    var sum30 = vec4f();
    var sum40 = vec4f();
    var sum50 = vec4f();
    var sum60 = vec4f();
    var sum70 = vec4f();
    var sum01 = vec4f();
    var sum11 = vec4f();
    var sum21 = vec4f();
    var sum31 = vec4f();
    var sum41 = vec4f();
    var sum51 = vec4f();
    var sum61 = vec4f();
    var sum71 = vec4f();
    for (var index = first; index < last; index++) {
        let to = lane * ROW + pixel;
        slice_x[to] = select(vec4f(), x0, inside0);
        slice_x[to + STEP_X] = select(vec4f(), x1, inside1);
        slice_w[thread] = w0;
        slice_w[thread + THREADS] = w1;
        if LOADS_X > 2u {
            slice_x[to + 2u * STEP_X] = select(vec4f(), x2, inside2);
            slice_x[to + 3u * STEP_X] = select(vec4f(), x3, inside3);
        }
        if LOADS_W > 2u {
            slice_w[thread + 2u * THREADS] = w2;
            slice_w[thread + 3u * THREADS] = w3;
        }
        workgroupBarrier();
        // The weights first: in another order AMD's compiler waits for the loads before it multiplies.
        if index + 1u < last {
            slice = after(slice);
            let at = slice.w + column;
            w0 = w[at];
            w1 = w[at + STEP_W * m4];
            if LOADS_W > 2u {
                w2 = w[at + 2u * STEP_W * m4];
                w3 = w[at + 3u * STEP_W * m4];
            }
            inside0 = is_inside(window0, slice, lane);
            x0 = load_x(window0, slice, inside0);
            inside1 = is_inside(window1, slice, lane);
            x1 = load_x(window1, slice, inside1);
            if LOADS_X > 2u {
                inside2 = is_inside(window2, slice, lane);
                x2 = load_x(window2, slice, inside2);
                inside3 = is_inside(window3, slice, lane);
                x3 = load_x(window3, slice, inside3);
            }
        }
        for (var k = 0u; k < 4u; k++) {
            let at_x = k * ROW + local.y;
            let pixel0 = slice_x[at_x];
            let pixel1 = slice_x[at_x + THREADS_P];
            let pixel2 = slice_x[at_x + 2u * THREADS_P];
            let pixel3 = slice_x[at_x + 3u * THREADS_P];
            let at_w = k * 4u * TILE_M4 + local.x;
            let w00 = slice_w[at_w];
            let w10 = slice_w[at_w + TILE_M4];
            let w20 = slice_w[at_w + 2u * TILE_M4];
            let w30 = slice_w[at_w + 3u * TILE_M4];
            sum00 = add(sum00, pixel0, w00, w10, w20, w30);
            sum10 = add(sum10, pixel1, w00, w10, w20, w30);
            sum20 = add(sum20, pixel2, w00, w10, w20, w30);
            sum30 = add(sum30, pixel3, w00, w10, w20, w30);
            var pixel4 = vec4f();
            var pixel5 = vec4f();
            var pixel6 = vec4f();
            var pixel7 = vec4f();
            if PIXELS > 4u {
                pixel4 = slice_x[at_x + 4u * THREADS_P];
                pixel5 = slice_x[at_x + 5u * THREADS_P];
                pixel6 = slice_x[at_x + 6u * THREADS_P];
                pixel7 = slice_x[at_x + 7u * THREADS_P];
                sum40 = add(sum40, pixel4, w00, w10, w20, w30);
                sum50 = add(sum50, pixel5, w00, w10, w20, w30);
                sum60 = add(sum60, pixel6, w00, w10, w20, w30);
                sum70 = add(sum70, pixel7, w00, w10, w20, w30);
            }
            if FOURS > 1u {
                let w01 = slice_w[at_w + THREADS_M];
                let w11 = slice_w[at_w + TILE_M4 + THREADS_M];
                let w21 = slice_w[at_w + 2u * TILE_M4 + THREADS_M];
                let w31 = slice_w[at_w + 3u * TILE_M4 + THREADS_M];
                sum01 = add(sum01, pixel0, w01, w11, w21, w31);
                sum11 = add(sum11, pixel1, w01, w11, w21, w31);
                sum21 = add(sum21, pixel2, w01, w11, w21, w31);
                sum31 = add(sum31, pixel3, w01, w11, w21, w31);
                if PIXELS > 4u {
                    sum41 = add(sum41, pixel4, w01, w11, w21, w31);
                    sum51 = add(sum51, pixel5, w01, w11, w21, w31);
                    sum61 = add(sum61, pixel6, w01, w11, w21, w31);
                    sum71 = add(sum71, pixel7, w01, w11, w21, w31);
                }
            }
        }
        workgroupBarrier();
    }
    let p = first_p + local.y;
    let four = first_m4 + local.x;
    store_y(batch, split, p, four, sum00);
    store_y(batch, split, p + THREADS_P, four, sum10);
    store_y(batch, split, p + 2u * THREADS_P, four, sum20);
    store_y(batch, split, p + 3u * THREADS_P, four, sum30);
    if PIXELS > 4u {
        store_y(batch, split, p + 4u * THREADS_P, four, sum40);
        store_y(batch, split, p + 5u * THREADS_P, four, sum50);
        store_y(batch, split, p + 6u * THREADS_P, four, sum60);
        store_y(batch, split, p + 7u * THREADS_P, four, sum70);
    }
    if FOURS > 1u {
        let next = four + THREADS_M;
        store_y(batch, split, p, next, sum01);
        store_y(batch, split, p + THREADS_P, next, sum11);
        store_y(batch, split, p + 2u * THREADS_P, next, sum21);
        store_y(batch, split, p + 3u * THREADS_P, next, sum31);
        if PIXELS > 4u {
            store_y(batch, split, p + 4u * THREADS_P, next, sum41);
            store_y(batch, split, p + 5u * THREADS_P, next, sum51);
            store_y(batch, split, p + 6u * THREADS_P, next, sum61);
            store_y(batch, split, p + 7u * THREADS_P, next, sum71);
        }
    }
}
