// ResNet-18 in TensorFlow.js, which has no reader of ONNX: from weights.bin, each convolution with its bias and
// ReLU as the one fused operation that the library has for it. ?backend=webgpu, or ?backend=wasm&threads=N.
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-webgpu";
import { getThreadsCount, setThreadsCount, setWasmPaths } from "@tensorflow/tfjs-backend-wasm";

import { floats, json, query } from "./page.js";

/** Opens the backend that the address names. */
export async function begin() {
  const backend = query.get("backend");
  const threads = Number(query.get("threads") ?? 1);
  if (backend === "wasm") {
    setWasmPaths("/tfjs-wasm/");
    setThreadsCount(threads);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend} here`);
  await tf.ready();
  // It takes no more than half of the processors, and says nothing of it.
  if (backend === "wasm" && getThreadsCount() !== threads) {
    throw new Error(`${threads} threads were asked for, tfjs runs on ${getThreadsCount()}`);
  }
}

/** name -> tensor: convolutions `[kh,kw,in,out]`, linear `[in,out]`. */
export async function weights() {
  const [{ entries }, all] = await Promise.all([json("meta.json"), floats("weights.bin")]);
  const tensor = ({ name, shape, at }) => {
    const count = shape.reduce((a, b) => a * b);
    return [name, tf.tensor(all.subarray(at, at + count), shape)];
  };
  return Object.fromEntries(entries.map(tensor));
}

export function convolve(w, x, name, strides, pad, activation) {
  const [filter, bias] = [w[`${name}.w`], w[`${name}.b`]];
  return tf.fused.conv2d({ x, filter, bias, strides, pad, activation, dimRoundingMode: "floor" });
}

/** `[N,H,W,C] -> [N,H',W',C']`: the two blocks of layer 1 to 4. */
export function stage(w, x, layer) {
  for (const block of [0, 1]) {
    const [at, stride] = [`layer${layer}.${block}`, layer > 1 && block === 0 ? 2 : 1];
    const inner = convolve(w, x, `${at}.conv1`, stride, 1, "relu");
    const outer = convolve(w, inner, `${at}.conv2`, 1, 1, "linear");
    const skip = stride === 2 ? convolve(w, x, `${at}.downsample.0`, 2, 0, "linear") : x;
    x = tf.relu(tf.add(outer, skip));
  }
  return x;
}
