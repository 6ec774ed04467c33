//! The formula that fills a network in place of a checkpoint; tests/fixtures/reference/make_reference.py has it
//! in Python.

/// `n` numbers in `[0, 1)` that follow from a name: the top 24 bits of `SplitMix64` at `fnv1a(name) + i`.
pub fn uniform(name: &str, n: usize) -> impl Iterator<Item = f64> + use<> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    (0..n as u64).map(move |i| {
        let z = i.wrapping_add(hash).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f64 / f64::from(1 << 24)
    })
}

/// The values of a backbone's or a head's tensor of that name and shape.
pub fn fill(name: &str, shape: &[usize]) -> Vec<f32> {
    let n = shape.iter().product();
    // Weights of one dimension are norms' only.
    let is_norm = shape.len() == 1;
    let fan_in = shape[1..].iter().product::<usize>() as f64;
    let value = |u: f64| {
        if name.ends_with("running_var") {
            0.5 + u
        } else if name.ends_with("running_mean") || name.ends_with("bias") {
            0.1 * (2.0 * u - 1.0)
        } else if is_norm {
            0.3 + 0.4 * u
        } else {
            (2.0 * u - 1.0) * (6.0 / fan_in).sqrt()
        }
    };
    uniform(name, n).map(|u| value(u) as f32).collect()
}
