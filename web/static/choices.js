// The settings: radio buttons and switches of the panel, remembered, each told to whom it is for.

import { byId, onPress, setHidden } from "./dom.js";
import { remember, remembered } from "./settings.js";

// Joins the radio buttons named `name` to `use`, which gets what is chosen now and at every change.
export function choice(name, otherwise, use) {
  const fields = [...document.querySelectorAll(`input[name="${name}"]`)];
  const before = remembered(name, otherwise);
  const value = fields.some((field) => field.value === before) ? before : otherwise;
  for (const field of fields) {
    field.checked = field.value === value;
    field.addEventListener("change", () => {
      remember(name, field.value);
      use(field.value);
    });
  }
  use(value);
}

// Joins the switch `name`, on at first, to `use`. It is a button, for Space is the stop's.
export function onOff(name, use) {
  const button = document.querySelector(`[role="switch"][data-name="${name}"]`);
  let on = remembered(name, true) !== false;
  const show = () => {
    button.setAttribute("aria-checked", String(on));
    use(on);
  };
  onPress(button, () => {
    on = !on;
    remember(name, on);
    show();
  });
  show();
}

// The button for the whole screen, where a page may have it.
export function fullScreenButton() {
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
