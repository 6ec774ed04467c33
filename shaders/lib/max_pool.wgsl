// Max pooling of images that lie channels last: parameters, and the window's place that each value came from.
//
// A column is four channels. A place is ky * K + kx, below 256, a byte for each of the four channels: the first
// of several equal values in that order has it, as in PyTorch.

struct Params {
    images: u32,
    columns: u32,
    height: u32,
    width: u32,
    out_height: u32,
    out_width: u32,
    window: u32,
    stride: u32,
    padding: u32,
    with_places: u32,
}

fn packed(places: vec4u) -> u32 {
    return places.x | (places.y << 8u) | (places.z << 16u) | (places.w << 24u);
}

fn unpacked(word: u32) -> vec4u {
    return (vec4u(word) >> vec4u(0u, 8u, 16u, 24u)) & vec4u(255u);
}
