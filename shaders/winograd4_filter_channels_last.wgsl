// Winograd's F(4x4, 3x3): the filters to the basis of the product, as conv_channels_last.wgsl reads them.
//
//   u = G g G^T, g a 3x3 filter; G as in winograd4_filter.wgsl
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.2)
//   TRANSPOSE: of the input gradient, whose filters are turned round and summed over output channels
//
//   w  [m][channels][3][3]
//   u  [36][rows][columns]  rows: input channels to whole slices, zeros past the last; columns: output channels; or,
//                           TRANSPOSE, the reverse
//
// An invocation transforms one filter; x counts columns, y rows.

const WORKGROUP: u32 = 64u;
const TRANSPOSE: bool = false;

struct Params {
    m: u32,
    channels: u32,
    rows: u32,
    columns: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> u: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_row(row: u32, column: u32, r: u32) -> vec3f {
    let m = select(column, row, TRANSPOSE);
    let c = select(row, column, TRANSPOSE);
    if m >= params.m || c >= params.channels {
        return vec3f();
    }
    let filter_at = (m * params.channels + c) * 9u;
    if TRANSPOSE {
        let at = filter_at + (2u - r) * 3u;
        return vec3f(w[at + 2u], w[at + 1u], w[at]);
    }
    let at = filter_at + r * 3u;
    return vec3f(w[at], w[at + 1u], w[at + 2u]);
}

// One row of G g, times G^T, to its 6 matrices.
fn store_row(first: u32, at: u32, g: vec3f) {
    let step = params.rows * params.columns;
    let to = first * step + at;
    u[to] = 0.25 * g.x;
    u[to + step] = -(g.x + g.y + g.z) / 6.0;
    u[to + 2u * step] = -(g.x - g.y + g.z) / 6.0;
    u[to + 3u * step] = (g.x + 2.0 * g.y + 4.0 * g.z) / 24.0;
    u[to + 4u * step] = (g.x - 2.0 * g.y + 4.0 * g.z) / 24.0;
    u[to + 5u * step] = g.z;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let column = id.x;
    let row = id.y;
    if column >= params.columns {
        return;
    }
    let at = row * params.columns + column;
    let g0 = load_row(row, column, 0u);
    let g1 = load_row(row, column, 1u);
    let g2 = load_row(row, column, 2u);
    store_row(0u, at, 0.25 * g0);
    store_row(6u, at, -(g0 + g1 + g2) / 6.0);
    store_row(12u, at, -(g0 - g1 + g2) / 6.0);
    store_row(18u, at, (g0 + 2.0 * g1 + 4.0 * g2) / 24.0);
    store_row(24u, at, (g0 - 2.0 * g1 + 4.0 * g2) / 24.0);
    store_row(30u, at, g2);
}
