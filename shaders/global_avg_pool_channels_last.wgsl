// Global average pooling of images that lie channels last: the mean of every channel.
//
//   y[n,c] = sum over h, w of x[n,h,w,c] / (H*W)
//
// https://docs.pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html, output size 1
//
//   0  x       [N,H*W,C]  read
//   1  y       [N,C]      written whole
//   2  params
//
// A column is four channels. A workgroup computes 32 channels of an image, an invocation every 32nd pixel of
// four of them; in a fixed order. Workgroups lie in x over the columns, in y over the images.

const COLUMNS: u32 = 8u;
const ROWS: u32 = 32u;

struct Params {
    images: u32,
    columns: u32,
    area: u32,
}

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@group(0) @binding(2) var<storage, read> params: Params;

var<workgroup> sums: array<vec4f, COLUMNS * ROWS>;

// x[image, pixel, column]; the caller stays inside.
fn load_x(image: u32, pixel: u32, column: u32) -> vec4f {
    return x[(image * params.area + pixel) * params.columns + column];
}

@compute @workgroup_size(COLUMNS, ROWS)
fn main(
    @builtin(workgroup_id) group: vec3u,
    @builtin(local_invocation_id) local: vec3u,
) {
    // Past the last column the last is summed once more, and not stored: all reach the barriers.
    let wanted = group.x * COLUMNS + local.x;
    let column = min(wanted, params.columns - 1u);
    var sum = vec4f();
    for (var pixel = local.y; pixel < params.area; pixel += ROWS) {
        sum += load_x(group.y, pixel, column);
    }
    let lane = local.y * COLUMNS + local.x;
    for (var half = ROWS / 2u; half > 0u; half /= 2u) {
        sums[lane] = sum;
        workgroupBarrier();
        if local.y < half {
            sum += sums[lane + half * COLUMNS];
        }
        workgroupBarrier();
    }
    if local.y == 0u && wanted < params.columns {
        y[group.y * params.columns + column] = sum / f32(params.area);
    }
}
