//! What the GPU reports outside any call: WebGPU answers a refused pipeline or a misused buffer with an
//! event, and the work it was for is silently left out. Whoever reads results asks here first, so that a
//! failed launch is an error and never zeros.

use std::sync::{Mutex, PoisonError};

static FAULT: Mutex<Option<String>> = Mutex::new(None);

/// Notes a fault; the first one is kept, later ones mostly follow from it.
pub fn report(text: String) {
    let mut fault = FAULT.lock().unwrap_or_else(PoisonError::into_inner);
    fault.get_or_insert(text);
}

/// The fault since the last call, if there was one.
#[must_use]
pub fn take() -> Option<String> {
    FAULT.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_kept_until_it_is_taken() {
        report("first".to_string());
        report("second".to_string());
        assert_eq!(take().as_deref(), Some("first"));
        assert_eq!(take(), None);
    }
}
