// Runs before anything of the page does. Does what an impatient visitor would: gives the page a photo the
// moment there is something to give it to. `photo` is declared in front of this. Leaves `firstResult`.
{
  const find = (id) => document.querySelector(`[data-testid="${id}"]`);
  const seen = new MutationObserver(look);
  let given = null;

  function give(input) {
    const files = new DataTransfer();
    files.items.add(new File([new Uint8Array(photo)], "photo.jpg", { type: "image/jpeg" }));
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    // The page empties its input when it takes what is in there; before, nobody listened.
    if (input.files.length === 0) given = performance.now();
    else setTimeout(look, 1);
  }

  function look() {
    const input = find("image-input");
    if (given === null && input && !input.disabled) give(input);
    if (given === null) return;
    const done = find("prediction") ?? find("error-row") ?? find("error-banner");
    if (!done) return;
    const milliseconds = performance.now();
    seen.disconnect();
    globalThis.firstResult = done === find("prediction")
      ? { milliseconds, given, device: find("backend")?.dataset.backend }
      : { error: done.innerText };
  }

  seen.observe(document, { subtree: true, childList: true, attributes: true });
}
