//! A setting of the allocator: keep freed memory instead of giving it back to the system.
//!
//! A training step makes tensors of tens of megabytes and drops them again. glibc takes each from the system
//! and gives it back at once, and a page that comes back is cleared and mapped, 4 KiB at a time: a tenth of
//! a step's time. In the browser memory is never given back, and elsewhere the allocator has no such knob.

/// Tells the allocator to keep freed memory in this process from now on.
pub fn retain_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // SAFETY: plain settings; one that is refused leaves things as they were.
            unsafe {
                libc::mallopt(libc::M_MMAP_MAX, 0);
                libc::mallopt(libc::M_TRIM_THRESHOLD, libc::c_int::MAX);
                libc::mallopt(libc::M_TOP_PAD, 64 << 20);
            }
        });
    }
}
