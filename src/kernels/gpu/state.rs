//! What is kept for each GPU: whether our kernels are on, and the buffers of parameters. What an op keeps
//! besides, such as its kernels that failed, is in the op ([`Gpu::part`]).

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use burn_cubecl::cubecl::server::Handle;

use super::launch::Gpu;
use crate::platform::device_state::Adapter;

/// What the launching keeps for a GPU.
#[derive(Debug, Default)]
pub(super) struct LaunchState {
    disabled: AtomicBool,
    /// Parameters that were uploaded.
    pub(super) params: Mutex<HashMap<Vec<u32>, Handle>>,
}

impl Gpu {
    /// Switches all kernels of ours off on this GPU, or on again: burn's ops are what they are measured
    /// against.
    pub fn set_enabled(&self, enabled: bool) {
        let state = self.part::<LaunchState>();
        state.disabled.store(!enabled, Ordering::Relaxed);
    }

    /// Whether [`Self::set_enabled`] left them on.
    #[must_use]
    pub fn enabled(&self) -> bool {
        !self.part::<LaunchState>().disabled.load(Ordering::Relaxed)
    }

    /// What kind of adapter it is.
    #[must_use]
    pub fn adapter(&self) -> Adapter {
        self.state().adapter()
    }

    /// What an op keeps for this GPU, by its type.
    #[must_use]
    pub fn part<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        self.state().part()
    }
}
