//! The page. All of it is in `retune::ui`; natively there is none.

fn main() {
    #[cfg(target_arch = "wasm32")]
    retune::ui::start();
}
