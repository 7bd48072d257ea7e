import { behaviour } from "./behaviour.js";

// A second click on the same button sends nothing. The button stays enabled, so that its name and
// value are sent and the focus stays where it is; coming back by the back button sets it free.
behaviour("submit-once", (form) => {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") event.preventDefault();
    else form.setAttribute("aria-busy", "true");
  });
  window.addEventListener("pageshow", () => form.removeAttribute("aria-busy"));
});
