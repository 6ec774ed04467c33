// Two sums over the rows of a workgroup.

struct Sums {
    first: vec4f,
    second: vec4f,
}

var<workgroup> firsts: array<vec4f, COLUMNS * ROWS>;
var<workgroup> seconds: array<vec4f, COLUMNS * ROWS>;

// In one order; every invocation calls it, those of row 0 get the result.
fn over_rows(own: Sums, local: vec2u) -> Sums {
    let lane = local.y * COLUMNS + local.x;
    var sum = own;
    for (var half = ROWS / 2u; half > 0u; half /= 2u) {
        firsts[lane] = sum.first;
        seconds[lane] = sum.second;
        workgroupBarrier();
        if local.y < half {
            let other = lane + half * COLUMNS;
            sum = Sums(sum.first + firsts[other], sum.second + seconds[other]);
        }
        workgroupBarrier();
    }
    return sum;
}
