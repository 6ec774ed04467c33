import init from "./engine.js";

// `cargo xtask build` writes two constants above this line: HAS_RELAXED_SIMD, whether the browser has it, and LEAST_PAGES, of the
// memory that threads share; null in a module without threads, which makes its own.

// A browser sets addresses aside for as much as shared memory may ever become, and may refuse: a phone has no 4 GiB for a
// tab. Then half of that is asked for, and so on.
function sharedMemory() {
  for (let maximum = MOST_PAGES; ; maximum /= 2) {
    try {
      return new WebAssembly.Memory({ initial: LEAST_PAGES, maximum, shared: true });
    } catch (error) {
      if (maximum <= LEAST_MAXIMUM) {
        throw error;
      }
    }
  }
}

// In pages of 64 KiB: 4 GiB, which is what the module names, and 256 MiB, in which photos can still be classified.
const [MOST_PAGES, LEAST_MAXIMUM] = [65536, 4096];
const memory = LEAST_PAGES === null ? undefined : sharedMemory();

// Awaited, so that a module that cannot be loaded is the script's own error: whoever started a worker hears of that,
// but not of a promise nobody looks at.
const plain = new URL("engine_plain_bg.wasm", import.meta.url);
await init({ module_or_path: HAS_RELAXED_SIMD ? undefined : plain, memory });
