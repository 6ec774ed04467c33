// Weights as the left factor that the matrix products read: slices of k, rows padded to whole tiles.
//
//   a[batch][k][row] = w[batch][row][k], or 0 from row m on; or, not TRANSPOSE, w[batch][k][row]
//
// Transposed, filters [groups, m][channels, kernel_h, kernel_w] become the factor of the forward
// convolution; as they are, that of its input gradient.
//
//   w  [batches][m][k], or [batches][k][m]
//   a  [batches][k][m_stride]
//
// An invocation copies one value; x counts rows, y slices, z batches.

const WORKGROUP: u32 = 64u;
const TRANSPOSE: bool = true;

struct Params {
    m: u32,
    k: u32,
    m_stride: u32,
}

@group(0) @binding(0) var<storage, read> w: array<f32>;
@group(0) @binding(1) var<storage, read_write> a: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

fn load_w(batch: u32, row: u32, k: u32) -> f32 {
    if TRANSPOSE {
        return w[(batch * params.m + row) * params.k + k];
    }
    return w[(batch * params.k + k) * params.m + row];
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
    let row = id.x;
    if row >= params.m_stride {
        return;
    }
    var value = 0.0;
    if row < params.m {
        value = load_w(id.z, row, id.y);
    }
    a[(id.z * params.k + id.y) * params.m_stride + row] = value;
}
