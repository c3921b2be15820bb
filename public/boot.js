// Brings the islands of a page to life once the page itself is complete, so that nothing here delays
// what the reader sees. The page works without it: when the bundle does not load, nothing is said.

const BUNDLE = "/pkg/exchequer.js";
const WASM = "/pkg/exchequer.wasm";

async function boot() {
  const islands = document.querySelectorAll("leptos-island");
  if (islands.length === 0) return;
  let bundle;
  try {
    bundle = await import(BUNDLE);
    await bundle.default({ module_or_path: WASM });
    bundle.hydrate();
  } catch {
    return;
  }
  // Document order: an outer island comes before those inside its children.
  for (const island of islands) {
    try {
      // Runs the inner island under the reactive owner of the outer one.
      island.parentElement?.closest("leptos-children")?.$$on_hydrate?.();
      await bundle[island.dataset.component]?.(island);
    } catch {
      // One island that fails stays plain HTML; the others go on.
    }
  }
}

function whenIdle() {
  if ("requestIdleCallback" in window) requestIdleCallback(boot, { timeout: 2000 });
  else setTimeout(boot, 1);
}

if (document.readyState === "complete") whenIdle();
else addEventListener("load", whenIdle, { once: true });
