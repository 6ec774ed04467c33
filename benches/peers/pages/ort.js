// ONNX Runtime Web as npm has it: ?ep=webgpu, or ?ep=wasm&threads=N.
import { images, offer, query, times } from "./page.js";

const provider = query.get("ep");
const ort = await import(provider === "webgpu" ? "/ort/ort.webgpu.min.mjs" : "/ort/ort.wasm.min.mjs");
let session;

async function load() {
  ort.env.wasm.wasmPaths = "/ort/";
  ort.env.wasm.numThreads = Number(query.get("threads") ?? 1);
  const options = { executionProviders: [provider], graphOptimizationLevel: "all" };
  session = await ort.InferenceSession.create("/data/resnet18.onnx", options);
}

/** Floats on the host to logits on the host. */
async function run(x, size, batch) {
  const answer = await session.run({ x: new ort.Tensor("float32", x, [batch, 3, size, size]) });
  return answer.logits.getData();
}

offer(load, {
  async logits(size, batch) {
    return Array.from(await run(await images(size, batch), size, batch));
  },
  async infer(size, batch, count) {
    const x = await images(size, batch);
    return times(count, () => run(x, size, batch));
  },
});
