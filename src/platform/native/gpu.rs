//! What a native process knows of its GPU.

/// Whether Vulkan alone is asked for a GPU, not all that the system has. On Linux the other one is OpenGL, which has no
/// GPU for compute that Vulkan has not, and whose libraries complain on standard error where there is no desktop
/// ("XDG_RUNTIME_DIR is invalid").
pub const VULKAN_ALONE: bool = cfg!(target_os = "linux");

/// The adapter's name, which drivers always give.
pub async fn name(known: &str) -> String {
    known.to_owned()
}
