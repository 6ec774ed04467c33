import init, { runThread } from "./engine.js";
onmessage = async ({ data: [module, memory] }) => {
  await init({ module_or_path: module, memory });
  postMessage(null);
  try {
    runThread();
  } catch (error) {
    new BroadcastChannel(name).postMessage(String(error));
    throw error;
  }
};
