import { behaviour } from "./behaviour.js";

const SECONDS_SHOWN = 4;

behaviour("copy", (element) => {
  const button = element.querySelector("button");
  const said = element.querySelector('[role="status"]');
  if (!navigator.clipboard) return; // only on https and localhost: the value can be selected by hand

  let timer;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(element.dataset.copy);
      said.textContent = "Copied";
    } catch {
      said.textContent = "Could not copy: select it and copy by hand";
    }
    clearTimeout(timer);
    timer = setTimeout(() => { said.textContent = ""; }, SECONDS_SHOWN * 1000);
  });
});
