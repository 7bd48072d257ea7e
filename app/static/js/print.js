import { behaviour } from "./behaviour.js";

behaviour("print", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
});
