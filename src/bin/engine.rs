//! The worker's program: the engine behind messages.

fn main() {
    #[cfg(target_arch = "wasm32")]
    retune::worker::start();
}
