import init from "./engine.js";

// `cargo xtask build` writes the test for relaxed SIMD above this line; where it fails, the engine without is loaded.
// Awaited, so that a module that cannot be loaded is the script's own error: whoever started a worker hears of that,
// but not of a promise nobody looks at.
const other = { module_or_path: new URL("engine_plain_bg.wasm", import.meta.url) };
await init(HAS_RELAXED_SIMD ? undefined : other);
