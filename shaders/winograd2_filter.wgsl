// Winograd's F(2x2, 3x3): the filters to the basis of the product, once when weights are loaded.
//
//   u = G g G^T, g a 3x3 filter
//   G = [1 0 0; 1/2 1/2 1/2; 1/2 -1/2 1/2; 0 0 1]
//   (Lavin and Gray 2015, arXiv:1509.09308, section 4.1)
//
//   w  [m][channels][3][3]
//   u  [16][channels][m_stride]  rows from m on are zero
//
// An invocation transforms one filter; x counts output channels, y input channels.
//
// lib/: winograd_filter.wgsl

const WORKGROUP: u32 = 64u;

// One row of G g, times G^T, to its 4 matrices.
fn store_row(first: u32, row: u32, channel: u32, g: vec3f) {
    let step = params.channels * params.m_stride;
    let to = first * step + channel * params.m_stride + row;
    u[to] = g.x;
    u[to + step] = 0.5 * (g.x + g.y + g.z);
    u[to + 2u * step] = 0.5 * (g.x - g.y + g.z);
    u[to + 3u * step] = g.z;
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
    store_row(0u, row, channel, g0);
    store_row(4u, row, channel, 0.5 * (g0 + g1 + g2));
    store_row(8u, row, channel, 0.5 * (g0 - g1 + g2));
    store_row(12u, row, channel, g2);
}
