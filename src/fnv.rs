//! 64-bit FNV-1a, for keys that must be the same on every platform and in every build.
//! <http://www.isthe.com/chongo/tech/comp/fnv/>

/// The hash of nothing.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash continued by these bytes.
pub fn add(hash: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_values_come_out() {
        assert_eq!(add(START, *b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(add(START, *b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(add(add(START, *b"foo"), *b"bar"), 0x8594_4171_f739_67e8);
    }
}
