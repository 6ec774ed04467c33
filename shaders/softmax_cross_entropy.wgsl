// Softmax and cross-entropy: the loss of every row, and the gradient of the sum of all losses times `scale`.
//
//   loss[n]       = log(sum over k of exp(z[n,k] - m)) - (z[n,t] - m),  m = max over k of z[n,k],  t = target[n]
//   gradient[n,k] = scale * (exp(z[n,k] - m) / sum - [k = t])
//
// Subtracting the row's maximum keeps every exponential in 0..1; without it exp overflows from 89 on.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html; for the gradient
// Goodfellow, Bengio and Courville 2016, "Deep Learning", section 6.2.2.3
//
//   0  logits    [N,K]  read; z above
//   1  targets   [N]    read; each below K, which the caller has checked
//   2  loss      [N]    written whole, not scaled
//   3  gradient  [N,K]  written whole
//   4  params
//
// One invocation computes one row. Workgroups lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;

struct Params {
    rows: u32,
    classes: u32,
    scale: f32,
}

@group(0) @binding(0) var<storage, read> logits: array<f32>;
@group(0) @binding(1) var<storage, read> targets: array<u32>;
@group(0) @binding(2) var<storage, read_write> loss: array<f32>;
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read> params: Params;

// logits[row, class]; the caller stays inside.
fn load_logit(row: u32, class_: u32) -> f32 {
    return logits[row * params.classes + class_];
}

// gradient[row, class]; the caller stays inside.
fn store_gradient(row: u32, class_: u32, value: f32) {
    gradient[row * params.classes + class_] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let row = id.y * groups.x * WORKGROUP + id.x;
    if row >= params.rows {
        return;
    }
    var largest = load_logit(row, 0u);
    for (var k = 1u; k < params.classes; k++) {
        largest = max(largest, load_logit(row, k));
    }
    var sum = 0.0f;
    for (var k = 0u; k < params.classes; k++) {
        sum += exp(load_logit(row, k) - largest);
    }

    // The sum is at least 1, the largest logit's own share.
    let t = targets[row];
    loss[row] = log(sum) - (load_logit(row, t) - largest);
    for (var k = 0u; k < params.classes; k++) {
        let probability = exp(load_logit(row, k) - largest) / sum;
        store_gradient(row, k, params.scale * (probability - select(0.0f, 1.0f, k == t)));
    }
}
