//! What is kept for each GPU: whether our kernels are on, and the buffers of parameters. What an op keeps
//! besides, such as its kernels that failed, is in the op ([`Gpu::part`]).

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use burn_cubecl::cubecl::server::Handle;

use super::launch::Gpu;
use crate::platform::device_state::Adapter;

/// Operations a second of a slow GPU, at the pace that its kernels reach.
const SLOW: f64 = 0.7e12;
/// Microseconds of a submission on a slow GPU.
const SUBMISSION: u64 = 100_000;

/// Operations of a launch that a GPU of 1 TFLOP/s has done in 50 ms at the least share of multiply-adds of our products:
/// larger ones are launched in parts. Windows resets a GPU that is 2 s at one.
pub const LONGEST: f64 = 1e12 * 0.05 * 0.7;

/// What the launching keeps for a GPU.
#[derive(Debug, Default)]
pub(super) struct LaunchState {
    disabled: AtomicBool,
    /// Bits of [`LONGEST`] where a test has set another; else 0.
    longest: AtomicU64,
    /// Microseconds of work queued since the last submission, as [`Gpu::queued`] reckons them.
    queued: AtomicU64,
    traffic: [AtomicU64; 2],
    /// Parameters that were uploaded.
    pub(super) params: Mutex<HashMap<Vec<u32>, Handle>>,
}

/// What our kernels were given to do since the device was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Launches.
    pub launches: u64,
    /// Bytes of what was bound, each buffer of a launch once: what is read and written where caches are perfect within a
    /// launch and useless between two.
    pub bytes: u64,
}

/// Whether the kernels of an op were taken out of use on a GPU.
#[derive(Debug)]
struct Broken<Op> {
    broken: AtomicBool,
    op: PhantomData<fn() -> Op>,
}

impl<Op> Default for Broken<Op> {
    fn default() -> Self {
        Self {
            broken: AtomicBool::new(false),
            op: PhantomData,
        }
    }
}

impl Gpu {
    /// Takes the kernels of an op out of use, or puts them back; `Op` is a type that stands for it.
    pub fn set_broken<Op: 'static>(&self, broken: bool) {
        let state = self.part::<Broken<Op>>();
        state.broken.store(broken, Ordering::Relaxed);
    }

    /// Whether the kernels of an op are in use.
    #[must_use]
    pub fn uses<Op: 'static>(&self) -> bool {
        self.enabled() && !self.part::<Broken<Op>>().broken.load(Ordering::Relaxed)
    }

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

    /// Most operations of a launch.
    #[must_use]
    pub fn longest(&self) -> f64 {
        match self.part::<LaunchState>().longest.load(Ordering::Relaxed) {
            0 => LONGEST,
            bits => f64::from_bits(bits),
        }
    }

    /// Sets another bound than [`LONGEST`], so that small products are launched in parts.
    pub fn set_longest(&self, flops: f64) {
        let state = self.part::<LaunchState>();
        state.longest.store(flops.to_bits(), Ordering::Relaxed);
    }

    /// Notes that so many floating point operations were queued, and submits what has gathered once a slow GPU would take
    /// 0.1 s for it: a submission that takes seconds freezes the desktop of a GPU that draws it, and after two
    /// of them Windows resets the device. Those of one image never come to it.
    pub fn queued(&self, flops: f64) {
        if self.adapter() == Adapter::Software {
            return;
        }
        let state = self.part::<LaunchState>();
        let work = (flops / SLOW * 1e6) as u64;
        if state.queued.fetch_add(work, Ordering::Relaxed) + work > SUBMISSION {
            state.queued.store(0, Ordering::Relaxed);
            // A device that is lost says so where its results are read.
            let _ = self.client().flush();
        }
    }

    /// Notes a launch that has so many bytes bound.
    pub(super) fn bound(&self, bytes: u64) {
        let state = self.part::<LaunchState>();
        for (count, more) in state.traffic.iter().zip([1, bytes]) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// What was launched so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let state = self.part::<LaunchState>();
        let [launches, bytes] = state.traffic.each_ref().map(|n| n.load(Ordering::Relaxed));
        Traffic { launches, bytes }
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
