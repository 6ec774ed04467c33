//! Hashes of a native process.

use sha2::{Digest, Sha256};

use crate::platform::common::hex;

/// SHA-256, hexadecimal.
pub async fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}
