//! Images that this program does not decode: natively nothing else does.

/// Whether there may be something else that decodes them.
pub const AVAILABLE: bool = false;

/// None: there is no browser.
pub async fn decode(_: &[u8], _: &str, _: u64) -> Option<(usize, usize, Vec<u8>)> {
    None
}
