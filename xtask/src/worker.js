import init from "./engine.js";

// A module of one function, which is f32x4.relaxed_madd of its three parameters. Where it is not valid, neither is
// engine_bg.wasm, and the engine made without that instruction is loaded; see xtask/src/plain_simd.rs.
const PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, // "\0asm", version 1
  1, 8, 1, 96, 3, 123, 123, 123, 1, 123, // types: (v128, v128, v128) -> v128
  3, 2, 1, 0, // functions: of type 0
  10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253, 133, 2, 11, // code
];
const relaxed = WebAssembly.validate(new Uint8Array(PROBE));

// Awaited, so that a module that cannot be loaded is the script's own error: whoever started a worker hears of that,
// but not of a promise nobody looks at.
await init(relaxed ? undefined : { module_or_path: new URL("engine_plain_bg.wasm", import.meta.url) });
