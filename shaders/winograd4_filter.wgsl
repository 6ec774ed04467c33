// Winograd's F(4x4, 3x3): the filters to the basis of the product, once when weights are loaded.
//
//   u = G g G^T, g a 3x3 filter
//   G = [1/4 0 0; -1/6 -1/6 -1/6; -1/6 1/6 -1/6; 1/24 1/12 1/6; 1/24 -1/12 1/6; 0 0 1]
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.2)
//
//   w  [m][channels][3][3]
//   u  [36][channels][m_stride]  rows from m on are zero
//
// An invocation transforms one filter; x counts output channels, y input channels.
//
// lib/: winograd_filter.wgsl

const WORKGROUP: u32 = 64u;

// One row of G g, times G^T, to its 6 matrices.
fn store_row(first: u32, row: u32, channel: u32, g: vec3f) {
    let step = params.channels * params.m_stride;
    let to = first * step + channel * params.m_stride + row;
    u[to] = 0.25 * g.x;
    u[to + step] = -(g.x + g.y + g.z) / 6.0;
    u[to + 2u * step] = -(g.x - g.y + g.z) / 6.0;
    u[to + 3u * step] = (g.x + 2.0 * g.y + 4.0 * g.z) / 24.0;
    u[to + 4u * step] = (g.x - 2.0 * g.y + 4.0 * g.z) / 24.0;
    u[to + 5u * step] = g.z;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    let channel = id.y;
    if row >= params.m_stride {
        return;
    }
    let g0 = load_row(row, channel, 0u);
    let g1 = load_row(row, channel, 1u);
    let g2 = load_row(row, channel, 2u);
    store_row(0u, row, channel, 0.25 * g0);
    store_row(6u, row, channel, -(g0 + g1 + g2) / 6.0);
    store_row(12u, row, channel, -(g0 - g1 + g2) / 6.0);
    store_row(18u, row, channel, (g0 + 2.0 * g1 + 4.0 * g2) / 24.0);
    store_row(24u, row, channel, (g0 - 2.0 * g1 + 4.0 * g2) / 24.0);
    store_row(30u, row, channel, g2);
}
