// What a gradient is multiplied by so that its norm keeps a limit, from the sums of optimizer_squares.wgsl.
//
//   scale = min(limit / (sqrt(sum over s of sums[s]) + 1e-6), 1)
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html
//
//   0  sums    [sums]  read
//   1  scale   [1]     written
//   2  params
//
// One workgroup, an invocation every 256th sum: the order follows from their number alone.
//
// lib/: sum.wgsl

struct Params {
    sums: u32,
    limit: f32,
}

@group(0) @binding(0) var<storage, read> sums: array<f32>;
@group(0) @binding(1) var<storage, read_write> scale: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

// sums[index]; the caller stays inside.
fn load_sum(index: u32) -> f32 {
    return sums[index];
}

fn store_scale(value: f32) {
    scale[0] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) lane: u32) {
    var own = 0.0;
    for (var i = lane; i < params.sums; i += WORKGROUP) {
        own += load_sum(i);
    }
    let norm = sqrt(sum_of_workgroup(lane, own));
    if lane == 0u {
        store_scale(min(params.limit * (1.0 / (norm + 1e-6)), 1.0));
    }
}
