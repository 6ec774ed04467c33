// The weights of a convolution as conv_channels_last.wgsl reads them: tap by tap, a row of output channels for each input
// channel.
//
//   a[group][tap][c][m] = w[group, m][c][tap]; or, TRANSPOSE, a[group][tap][m][c], which the input gradient sums over m
//   NARROW: a[group][r][s * 4 + c][m] = w[group, m][c][r][s], a row of the kernel's taps as one tap of many channels
//
//   w  [groups, m][channels][taps]
//   a  [groups][taps][rows][columns]  zeros past the last channel, to whole slices
//
// An invocation copies one value; x counts columns, y rows of all taps, z groups.

const WORKGROUP: u32 = 64u;
const TRANSPOSE: bool = false;
const NARROW: bool = false;

struct Params {
    m: u32,
    channels: u32,
    taps: u32,
    kernel_w: u32,
    rows: u32,
    group_rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_w(group: u32, m: u32, c: u32, tap: u32) -> f32 {
    if m >= params.m || c >= params.channels {
        return 0.0;
    }
    return w[((group * params.m + m) * params.channels + c) * params.taps + tap];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let column = id.x;
    if column >= params.columns {
        return;
    }
    let tap = id.y / params.rows;
    let row = id.y - tap * params.rows;
    var value = 0.0;
    if NARROW {
        let s = row / 4u;
        if s < params.kernel_w {
            value = load_w(id.z, column, row % 4u, tap * params.kernel_w + s);
        }
    } else if TRANSPOSE {
        value = load_w(id.z, row, column, tap);
    } else {
        value = load_w(id.z, column, row, tap);
    }
    let above = id.z * params.group_rows + id.y;
    a[above * params.columns + column] = value;
}
