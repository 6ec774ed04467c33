// Mean and sum of squared distances from it, put together from those of two parts.
//
// Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample variances",
// Stanford STAN-CS-79-773, formula 2.1. Nothing cancels, however far the mean is from zero.

struct Moments {
    count: f32,
    mean: vec4f,
    squares: vec4f,
}

var<workgroup> counts: array<f32, COLUMNS * ROWS>;
var<workgroup> means: array<vec4f, COLUMNS * ROWS>;
var<workgroup> squares: array<vec4f, COLUMNS * ROWS>;

fn merged(a: Moments, b: Moments) -> Moments {
    let count = a.count + b.count;
    // Both may be empty.
    let share = b.count / max(count, 1.0);
    let delta = b.mean - a.mean;
    return Moments(
        count,
        a.mean + delta * share,
        a.squares + b.squares + delta * delta * (a.count * share),
    );
}

fn shared_moments(lane: u32) -> Moments {
    return Moments(counts[lane], means[lane], squares[lane]);
}

// Over the workgroup's rows, in one order; every invocation calls it, those of row 0 get the result.
fn over_rows(own: Moments, local: vec2u) -> Moments {
    let lane = local.y * COLUMNS + local.x;
    var sum = own;
    for (var half = ROWS / 2u; half > 0u; half /= 2u) {
        counts[lane] = sum.count;
        means[lane] = sum.mean;
        squares[lane] = sum.squares;
        workgroupBarrier();
        if local.y < half {
            sum = merged(sum, shared_moments(lane + half * COLUMNS));
        }
        workgroupBarrier();
    }
    return sum;
}
