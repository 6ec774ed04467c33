// A pixel of an image with zeros round it.
//
// The kernel declares `params.height`, `params.width` and the binding `x`, planes of that size.

// Zero outside the image. A negative coordinate wraps round to a large one.
fn load_x(plane: u32, row: u32, column: u32) -> f32 {
    if row >= params.height || column >= params.width {
        return 0.0;
    }
    return x[(plane * params.height + row) * params.width + column];
}
