// Fine-tuning in TensorFlow.js: layer4 of a ResNet-18 and a head of six classes learn, all before them is
// frozen and stands as cached activations. Batch norm is folded, so its scale and shift stay as they are.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients.js";
import "@tensorflow/tfjs-backend-webgpu";
import { setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

const CLASSES = 6;
const query = new URLSearchParams(location.search);

// name -> tensor; convolutions [kh,kw,in,out].
const fixed = {};
const learnt = {};

async function load() {
  const backend = query.get("backend");
  if (backend === "wasm") {
    setWasmPaths("/tfjs-wasm/");
    setThreadsCount(Number(query.get("threads")));
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`);
  await tf.ready();
  const [meta, weights] = await Promise.all([
    fetch("/data/meta.json").then((response) => response.json()),
    fetch("/data/weights.bin").then((response) => response.arrayBuffer()),
  ]);
  for (const { name, shape, at, n } of meta.entries) {
    if (!name.startsWith("layer4.")) continue;
    const tensor = tf.tensor(new Float32Array(weights, 4 * at, n), shape);
    if (name.endsWith(".w")) learnt[name] = tf.variable(tensor, true, name);
    else fixed[name] = tensor;
  }
  if (Object.keys(learnt).length !== 5) throw new Error("weights.bin has no layer4 of a ResNet-18");
  const width = 1 / Math.sqrt(512);
  learnt["fc.w"] = tf.variable(tf.randomUniform([512, CLASSES], -width, width, "float32", 1));
  learnt["fc.b"] = tf.variable(tf.zeros([CLASSES]));
}

function convolve(x, name, strides, pad, activation) {
  const [filter, bias] = [learnt[`${name}.w`], fixed[`${name}.b`]];
  return tf.fused.conv2d({ x, filter, bias, strides, pad, activation, dimRoundingMode: "floor" });
}

// [N,H,W,256] -> [N,H/2,W/2,512] -> [N,6]
function logits(x) {
  for (const block of [0, 1]) {
    const name = `layer4.${block}`;
    const inner = convolve(x, `${name}.conv1`, block === 0 ? 2 : 1, 1, "relu");
    const outer = convolve(inner, `${name}.conv2`, 1, 1, "linear");
    const skip = block === 0 ? convolve(x, `${name}.downsample.0`, 2, 0, "linear") : x;
    x = tf.relu(tf.add(outer, skip));
  }
  return tf.add(tf.matMul(tf.mean(x, [1, 2]), learnt["fc.w"]), learnt["fc.b"]);
}

// Times steps on one cached batch, each from the host asking for it to the loss on the host, which the
// queue delivers after the new weights.
async function steps(size, batch, count) {
  const edge = Math.ceil(size / 16);
  // What a ReLU leaves: nothing negative.
  const x = tf.tidy(() => tf.relu(tf.randomNormal([batch, edge, edge, 256], 0, 1, "float32", 2)));
  const labels = tf.tensor1d(Int32Array.from({ length: batch }, (_, i) => i % CLASSES));
  const y = tf.tidy(() => tf.cast(tf.oneHot(labels, CLASSES), "float32"));
  await Promise.all([x.data(), y.data()]);
  const adam = tf.train.adam(1e-3);
  const milliseconds = [];
  const losses = [];
  while (milliseconds.length < count) {
    const start = performance.now();
    const cost = adam.minimize(() => tf.losses.softmaxCrossEntropy(y, logits(x)), true, Object.values(learnt));
    losses.push((await cost.data())[0]);
    milliseconds.push(performance.now() - start);
    cost.dispose();
  }
  tf.dispose([x, y, labels]);
  return { milliseconds, losses };
}

globalThis.peer = { steps };
try {
  await load();
  globalThis.ready = "ok";
} catch (error) {
  globalThis.ready = String(error?.stack ?? error);
}
