//! What a piece of work costs: the processor's time and the most memory, counted by this test's allocator.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

/// Longest that one input may take.
pub const MOST_TIME: Duration = Duration::from_secs(1);
/// Most bytes that one input may take.
pub const MOST_BYTES: usize = 256 << 20;

/// The system's allocator, counting the bytes in use.
struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn count(bytes: usize) {
    let now = NOW.fetch_add(bytes, Relaxed) + bytes;
    PEAK.fetch_max(now, Relaxed);
}

// SAFETY: every call goes on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are those that are asked for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // The old and the new one may exist at once.
        count(size);
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static MEMORY: Counting = Counting;

/// The worst of what was measured.
#[derive(Debug, Default, Clone, Copy)]
pub struct Cost {
    pub time: Duration,
    /// Bytes.
    pub peak: usize,
}

impl Cost {
    /// Measures some work, which must be the only one of this process, and keeps what is worse than before.
    /// `what` names it where it takes longer than [`MOST_TIME`] or more than `most_bytes`.
    pub fn of<T>(
        &mut self,
        most_bytes: usize,
        what: &dyn Fn() -> String,
        work: impl FnOnce() -> T,
    ) -> T {
        let before = NOW.load(Relaxed);
        PEAK.store(before, Relaxed);
        let begin = Instant::now();
        let ran = clock(begin);
        let result = work();
        let time = clock(begin).saturating_sub(ran);
        let peak = PEAK.load(Relaxed).saturating_sub(before);
        assert!(time < MOST_TIME, "{}: {time:?}", what());
        assert!(peak < most_bytes, "{}: {} MB", what(), peak >> 20);
        self.time = self.time.max(time);
        self.peak = self.peak.max(peak);
        result
    }
}

/// Time that this thread has run. Linux counts it apart from the time that others had the processor, so that a busy
/// machine fails no test; elsewhere it is the time of day.
fn clock(begin: Instant) -> Duration {
    let counted = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = counted.and_then(|text| text.split(' ').next()?.parse().ok());
    nanoseconds.map_or_else(|| begin.elapsed(), Duration::from_nanos)
}
