// Runs on a blank document beside worker.js: a worker of its own, spoken to in the words of
// src/protocol.rs, so that nothing of the page is in the figures. Given the device and what the worker's address
// ends with, it leaves `window.bench`.
const [device, query, ready] = arguments;
const worker = new Worker("worker.js" + query, { type: "module" });
const open = new Map();
let job = 0;

window.bench = (command) => new Promise((resolve) => {
  job += 1;
  open.set(job, resolve);
  worker.postMessage([JSON.stringify({ ...command, job }), []]);
});

function answer(job, with_) {
  open.get(job)?.(with_);
  open.delete(job);
}

let started = false;
let backend = null;
worker.onerror = (event) => {
  const error = event.message || "the worker stopped without a reason";
  ready({ error });
  for (const job of open.keys()) answer(job, { error });
};
worker.onmessage = ({ data: [json] }) => {
  const event = JSON.parse(json);
  if (event.event === "state" && event.state === "starting" && !started) {
    started = true;
    worker.postMessage([JSON.stringify({ command: "start", device, hub: null }), []]);
  } else if (event.event === "state" && event.state === "ready") {
    ready({ backend });
  } else if (event.event === "state" && event.state === "unsupported") {
    ready({ error: "nothing here can run the model" });
  } else if (event.event === "device") {
    backend = event.backend;
  } else if (event.event === "measured") {
    answer(event.job, { milliseconds: event.milliseconds });
  } else if (event.event === "failed") {
    if (event.job === 0) ready({ error: event.error });
    answer(event.job, { error: event.error });
  } else if (event.event === "warning" && event.text.startsWith("a command that is not understood")) {
    // It names no job: an older worker could not read that either.
    for (const job of open.keys()) answer(job, { error: event.text, unknown: true });
  }
};
