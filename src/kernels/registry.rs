//! Every kernel file: what `tests/shaders.rs` walks, so that none goes unchecked. An op adds its files to
//! its own list, `params::SHADERS`.

use super::gpu::source::Shader;
use super::{conv, gpu, pool, preprocess};

/// All of them, sorted by name.
#[must_use]
pub fn shaders() -> Vec<Shader> {
    let lists = [
        conv::params::SHADERS,
        gpu::peak::SHADERS,
        pool::params::SHADERS,
        preprocess::params::SHADERS,
    ];
    let mut all = lists.concat();
    all.sort_by_key(|shader| shader.name);
    all
}
