// Global average pooling: the mean of every plane.
//
//   y[n,c] = sum over h, w of x[n,c,h,w] / (H*W)
//
// The result is f32 whatever the input is stored as: it is small, and what follows wants it exact.
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html, output size 1
//
//   0  x       [N,C,H,W]  read; a plane is one of the N*C images of one channel
//   1  y       [N,C]      written whole
//   2  params
//
// One invocation computes one value of y: a ResNet's last planes are 7 x 7, too small to share. Workgroups
// lie in x, then in y where x would have more than 65535.

const WORKGROUP: u32 = 64u;
alias Stored = f32;

struct Params {
    planes: u32,
    area: u32,
}

@group(0) @binding(0) var<storage, read> x: array<Stored>;
@group(0) @binding(1) var<storage, read_write> y: array<f32>;
@group(0) @binding(2) var<storage, read> params: Params;

// x[plane, place], the place counted row by row; the caller stays inside.
fn load_x(plane: u32, place: u32) -> f32 {
    return f32(x[plane * params.area + place]);
}

// y[plane].
fn store_y(plane: u32, value: f32) {
    y[plane] = value;
}

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let plane = id.y * groups.x * WORKGROUP + id.x;
    if plane >= params.planes {
        return;
    }
    var sum = 0.0f;
    for (var place = 0u; place < params.area; place++) {
        sum += load_x(plane, place);
    }
    store_y(plane, sum / f32(params.area));
}
