// The sum over a workgroup, in an order that is always the same.

const WORKGROUP: u32 = 256u;

var<workgroup> sums_of_lanes: array<f32, WORKGROUP>;

// The sum of every invocation's value, in invocation 0; all of the workgroup must come here.
fn sum_of_workgroup(lane: u32, value: f32) -> f32 {
    sums_of_lanes[lane] = value;
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
        workgroupBarrier();
        if lane < half {
            sums_of_lanes[lane] += sums_of_lanes[lane + half];
        }
    }
    return sums_of_lanes[0];
}
