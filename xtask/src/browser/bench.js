// Runs on a blank document beside worker.js: a worker of its own, spoken to in the words of
// src/protocol.rs, so that nothing of the page is in the figures. Leaves `window.bench`.
const ready = arguments[arguments.length - 1];
const worker = new Worker("worker.js", { type: "module" });
const open = new Map();
let job = 0;

window.bench = (command) => new Promise((resolve) => {
  job += 1;
  open.set(job, resolve);
  worker.postMessage([JSON.stringify({ ...command, job }), []]);
});

let started = false;
worker.onerror = (event) => ready({ error: event.message || "the worker did not start" });
worker.onmessage = ({ data: [json] }) => {
  const event = JSON.parse(json);
  if (event.event === "state" && event.state === "starting" && !started) {
    started = true;
    worker.postMessage([JSON.stringify({ command: "start", device: "cpu", hub: null }), []]);
  } else if (event.event === "state" && event.state === "ready") {
    ready({});
  } else if (event.event === "measured") {
    open.get(event.job)?.({ milliseconds: event.milliseconds });
  } else if (event.event === "failed") {
    if (event.job === 0) ready({ error: event.error });
    open.get(event.job)?.({ error: event.error });
  }
};
