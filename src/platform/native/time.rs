//! Clock and scheduling of a native process.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

/// Milliseconds since the first call.
#[must_use]
pub fn now() -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_secs_f64() * 1e3
}

/// Milliseconds since 1970.
#[must_use]
pub fn unix() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

/// Lets others run. A native process has no event loop to feed, so this returns at once.
pub async fn yield_now() {}
