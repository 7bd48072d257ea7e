// Runs before the first paint: the visitor's choice, else the system's, else dark.
(() => {
  const root = document.documentElement;
  const light = window.matchMedia("(prefers-color-scheme: light)");

  const stored = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage may be forbidden
    }
  };

  const show = () => {
    root.dataset.bsTheme = stored() ?? (light.matches ? "light" : "dark");
    for (const label of document.querySelectorAll("[data-theme-label]")) {
      label.textContent = `Use the ${root.dataset.bsTheme === "dark" ? "light" : "dark"} theme`;
    }
  };

  const choose = () => {
    const chosen = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", chosen);
    } catch {
      return;
    }
    show();
  };

  show();
  light.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll('[data-behaviour="theme"]')) {
      button.hidden = false;
      button.addEventListener("click", choose);
    }
    show();
  });
})();
