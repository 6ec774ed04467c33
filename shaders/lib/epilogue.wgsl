// The end of a convolution: what a kernel adds to its sum before it stores it.
//
// The kernel declares `params.flags` and the binding `residual`, like the result.

const FLAG_BIAS: u32 = 1u;
const FLAG_RESIDUAL: u32 = 2u;
const FLAG_RELU: u32 = 4u;

// The value to store at `at`: with the residual, then without what is negative, as the flags say.
fn finish(value: f32, at: u32) -> f32 {
    var sum = value;
    if (params.flags & FLAG_RESIDUAL) != 0u {
        sum += residual[at];
    }
    if (params.flags & FLAG_RELU) != 0u {
        sum = max(sum, 0.0);
    }
    return sum;
}
