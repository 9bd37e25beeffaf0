// The settings: radio buttons and switches of the panel, remembered, each told to whom it is for.

import { byId, setHidden } from "./dom.js";
import { remember, remembered } from "./settings.js";

// Joins the fields named `name` to `use`, which gets what is chosen now and at every change.
export function choice(name, otherwise, use) {
  const fields = [...document.querySelectorAll(`input[name="${name}"]`)];
  const isSwitch = fields[0].type === "checkbox";
  let value = remembered(name, otherwise);
  if (!isSwitch && !fields.some((field) => field.value === value)) value = otherwise;
  for (const field of fields) {
    field.checked = isSwitch ? value === true : field.value === value;
    field.addEventListener("change", () => {
      const now = isSwitch ? field.checked : field.value;
      remember(name, now);
      use(now);
    });
  }
  use(isSwitch ? value === true : value);
}

// The button for the whole screen, where a page may have it.
export function fullScreenButton(onPress) {
  const button = byId("full-screen");
  setHidden(button, !document.fullscreenEnabled);
  onPress(button, () => {
    const done = document.fullscreenElement
      ? document.exitFullscreen()
      : document.documentElement.requestFullscreen({ navigationUI: "hide" });
    // Refused: the page stays as it is, which says enough.
    done.catch(() => {});
  });
}
