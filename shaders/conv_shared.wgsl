// Convolution of any size, stride, padding, dilation and groups as a matrix product that is never laid
// out in memory, for GPUs.
//
//   y[image][group, m][p] = act(sum_k a[group][k][m] * x[image][group, c(k)][row(p, k)][column(p, k)]
//                               + bias[group, m] + residual[image][group, m][p])
//   k = (c * kernel_h + r) * kernel_w + s, row = p / out_width * stride + r * dilation - padding
//   (implicit GEMM: Chetlur et al. 2014, "cuDNN", arXiv:1410.0759, section 3.1)
//
// Ladder: matmul_shared.wgsl on the columns of im2col.wgsl; the columns gathered into workgroup memory
// instead, which saves writing and reading kernel_h * kernel_w times the input; images side by side in
// one row of columns, so that a small image still fills a tile.
//
//   a         [groups][k][m4]  vec4 along m, rows padded with zeros to whole tiles
//   x         [images][groups, channels][height][width]   channels are those of a group
//   bias      [groups, m]      read if FLAG_BIAS
//   residual  like y           read if FLAG_RESIDUAL
//   y         [images][groups, m][out_height][out_width]
//
// A workgroup computes TILE_M rows by TILE_N columns of one group, a thread ROWS4 * 4 by COLUMNS4 * 4 of
// them; x counts column tiles over all images, y row tiles, z groups.
//
// lib/: shared_tile.wgsl, epilogue.wgsl

struct Params {
    m: u32,
    m4: u32,
    images: u32,
    groups: u32,
    channels: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_h: u32,
    kernel_w: u32,
    stride: u32,
    padding: u32,
    dilation: u32,
    flags: u32,
}

@group(0) @binding(0) var<storage, read> a: array<vec4<f32>>;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> bias: array<f32>;
@group(0) @binding(3) var<storage, read> residual: array<f32>;
@group(0) @binding(4) var<storage, read_write> y: array<f32>;
@group(0) @binding(5) var<storage, read> params: Params;

fn load_a(group: u32, depth: u32, k: u32, row4: u32) -> vec4f {
    if k >= depth || row4 >= params.m4 {
        return vec4f();
    }
    return vec4f(a[(group * depth + k) * params.m4 + row4]);
}

// Where an output pixel's window starts. A negative coordinate wraps round to a large one.
struct Window {
    plane: u32,
    row: u32,
    column: u32,
}

fn window(group: u32, index: u32) -> Window {
    // 1. column to image and pixel, 2. pixel to row and column.
    let pixels = params.out_height * params.out_width;
    let image = index / pixels;
    let pixel = index - image * pixels;
    let row = pixel / params.out_width;
    let column = pixel - row * params.out_width;
    if image >= params.images {
        // Out of every row: counts as zero.
        return Window(0u, 0x40000000u, 0u);
    }
    return Window(
        (image * params.groups + group) * params.channels,
        row * params.stride - params.padding,
        column * params.stride - params.padding,
    );
}

fn load_x(at: Window, c: u32, r: u32, s: u32) -> f32 {
    let row = at.row + r * params.dilation;
    let column = at.column + s * params.dilation;
    if row >= params.height || column >= params.width {
        return 0.0;
    }
    return x[((at.plane + c) * params.height + row) * params.width + column];
}

fn store_y(group: u32, row: u32, index: u32, value: f32) {
    let pixels = params.out_height * params.out_width;
    let image = index / pixels;
    if row >= params.m || image >= params.images {
        return;
    }
    let channel = group * params.m + row;
    let at = (image * params.groups * params.m + channel) * pixels + index - image * pixels;
    var sum = value;
    if (params.flags & FLAG_BIAS) != 0u {
        sum += bias[channel];
    }
    y[at] = finish(sum, at);
}

@compute @workgroup_size(THREADS_N, THREADS_M)
fn main(
    @builtin(workgroup_id) workgroup: vec3u,
    @builtin(local_invocation_id) local: vec3u,
    @builtin(local_invocation_index) thread: u32,
) {
    let first_row4 = workgroup.y * TILE_M4;
    let first_column = workgroup.x * TILE_N;
    let group = workgroup.z;
    let window_size = params.kernel_h * params.kernel_w;
    let depth = params.channels * window_size;
    // A thread fills the same columns of every slice, so it finds their windows once.
    let fill4 = thread % TILE_N4;
    let window0 = window(group, first_column + fill4 * 4u);
    let window1 = window(group, first_column + fill4 * 4u + 1u);
    let window2 = window(group, first_column + fill4 * 4u + 2u);
    let window3 = window(group, first_column + fill4 * 4u + 3u);
    // tile[row][columns in fours]
    var tile: array<array<vec4f, COLUMNS4>, ROWS4 * 4u>;
    for (var first_k = 0u; first_k < depth; first_k += TILE_K) {
        for (var i = thread; i < TILE_K * TILE_M4; i += THREADS) {
            slice_a[i] = load_a(group, depth, first_k + i / TILE_M4, first_row4 + i % TILE_M4);
        }
        for (var i = thread / TILE_N4; i < TILE_K; i += THREADS / TILE_N4) {
            let k = first_k + i;
            var values = vec4f();
            if k < depth {
                let c = k / window_size;
                let in_window = k - c * window_size;
                let r = in_window / params.kernel_w;
                let s = in_window - r * params.kernel_w;
                values = vec4f(
                    load_x(window0, c, r, s),
                    load_x(window1, c, r, s),
                    load_x(window2, c, r, s),
                    load_x(window3, c, r, s),
                );
            }
            slice_b[i * TILE_N4 + fill4] = values;
        }
        workgroupBarrier();
        for (var k = 0u; k < TILE_K; k++) {
            var columns: array<vec4f, COLUMNS4>;
            for (var j = 0u; j < COLUMNS4; j++) {
                columns[j] = slice_b[k * TILE_N4 + j * THREADS_N + local.x];
            }
            for (var i = 0u; i < ROWS4; i++) {
                let rows = slice_a[k * TILE_M4 + i * THREADS_M + local.y];
                for (var j = 0u; j < COLUMNS4; j++) {
                    tile[i * 4u][j] += rows.x * columns[j];
                    tile[i * 4u + 1u][j] += rows.y * columns[j];
                    tile[i * 4u + 2u][j] += rows.z * columns[j];
                    tile[i * 4u + 3u][j] += rows.w * columns[j];
                }
            }
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < ROWS4 * 4u; i++) {
        let row = (first_row4 + i / 4u * THREADS_M + local.y) * 4u + i % 4u;
        for (var j = 0u; j < COLUMNS4; j++) {
            let column = first_column + (j * THREADS_N + local.x) * 4u;
            store_y(group, row, column, tile[i][j].x);
            store_y(group, row, column + 1u, tile[i][j].y);
            store_y(group, row, column + 2u, tile[i][j].z);
            store_y(group, row, column + 3u, tile[i][j].w);
        }
    }
}
