// Calls `start` once for each element of a behaviour, also for those that htmx brings later.
export function behaviour(name, start) {
  const selector = `[data-behaviour~="${name}"]`;
  const started = new WeakSet();
  const look = (root) => {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.push(root);
    for (const element of found) {
      if (started.has(element)) continue;
      started.add(element);
      start(element);
    }
  };
  look(document);
  document.addEventListener("htmx:load", (event) => look(event.target));
}
