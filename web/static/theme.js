// Dark or light: as the system has it, or as was chosen here.

import { usePalette } from "./palette.js";

const light = matchMedia("(prefers-color-scheme: light)");
let chosen = "auto";

function apply() {
  const theme = chosen === "auto" ? (light.matches ? "light" : "dark") : chosen;
  document.documentElement.dataset.theme = theme;
  usePalette(theme);
  document.dispatchEvent(new Event("themechange"));
}

// Takes "auto", "dark" or "light".
export function useTheme(theme) {
  chosen = theme;
  apply();
}

light.addEventListener("change", apply);
