// Max pooling, any window, stride and padding.
//
//   y[p,oy,ox] = max over ky, kx of x[p, oy*SH - PT + ky, ox*SW - PL + kx]
//
// Padding never wins: places outside the image are left out, so a window without any place inside gives the
// lowest f32. A NaN may or may not come through, as WGSL's max leaves that open.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
//
//   0  x       [N,C,H,W]    read; a plane is one of the N*C images of one channel
//   1  y       [N,C,OH,OW]  written whole
//   2  params
//
// One invocation computes one value of y. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;
alias Stored = f32;

const LOWEST: f32 = -0x1.fffffep+127f;

struct Params {
    planes: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    kernel_height: u32,
    kernel_width: u32,
    stride_height: u32,
    stride_width: u32,
    pad_top: u32,
    pad_left: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<Stored>;
@group(0) @binding(2) var<storage, read> params: Params;

// x[plane, row, column]; the caller stays inside.
fn load_x(plane: u32, row: u32, column: u32) -> f32 {
    return f32(x[(plane * params.height + row) * params.width + column]);
}

// y[plane, row, column] by its place in memory.
fn store_y(index: u32, value: f32) {
    y[index] = Stored(value);
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    // 1. Place in memory; 2. plane, row and column of y.
    let index = id.y * groups.x * WORKGROUP + id.x;
    if index >= params.planes * params.out_height * params.out_width {
        return;
    }
    let out_column = index % params.out_width;
    let out_row = index / params.out_width % params.out_height;
    let plane = index / params.out_width / params.out_height;

    // The window in rows and columns of the padded image, then its part inside the image, which starts at
    // row 0 = padded row pad_top.
    let top = out_row * params.stride_height;
    let left = out_column * params.stride_width;
    let first_row = max(top, params.pad_top) - params.pad_top;
    let first_column = max(left, params.pad_left) - params.pad_left;
    let end_row = min(max(top + params.kernel_height, params.pad_top) - params.pad_top, params.height);
    let end_column = min(max(left + params.kernel_width, params.pad_left) - params.pad_left, params.width);

    var best = LOWEST;
    for (var row = first_row; row < end_row; row++) {
        for (var column = first_column; column < end_column; column++) {
            best = max(best, load_x(plane, row, column));
        }
    }
    store_y(index, best);
}
