// The end of a convolution on images channels last: what a kernel adds to its sums before it stores them, four channels
// at a time.
//
// The kernel declares `params.flags` and the binding `residual`, like the result.

const FLAG_BIAS: u32 = 1u;
const FLAG_RESIDUAL: u32 = 2u;
const FLAG_RELU: u32 = 4u;

// The values to store at `at`: with the residual, then without what is negative, as the flags say.
fn finish(value: vec4f, at: u32) -> vec4f {
    var sum = value;
    if (params.flags & FLAG_RESIDUAL) != 0u {
        sum += residual[at];
    }
    if (params.flags & FLAG_RELU) != 0u {
        sum = max(sum, vec4f());
    }
    return sum;
}
