//! What a native process knows of its GPU.

/// The adapter's name, which drivers always give.
pub async fn name(known: &str) -> String {
    known.to_owned()
}
