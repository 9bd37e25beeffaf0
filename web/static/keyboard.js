// WASD and the arrows as a stick, for laptops. Event: "move" on every change.

import { isDriving, mayHideKeys, stickOf } from "./keys.js";

export class Keyboard extends EventTarget {
  #down = new Set();
  // Held, but let go of by the page: they count again once they have been up.
  #stale = new Set();
  enabled = true;
  forward = 0;
  left = 0;

  constructor() {
    super();
    addEventListener("keydown", (event) => this.#press(event));
    addEventListener("keyup", (event) => {
      this.#stale.delete(event.code);
      if (mayHideKeys(event)) this.#forget();
      else if (this.#down.delete(event.code)) this.#changed();
    });
    // Nothing is heard of keys that come up meanwhile.
    addEventListener("blur", () => this.#forget());
  }

  get held() {
    return this.#down.size > 0;
  }

  // Whether keys lie there that count for nothing until they have been let go.
  get stale() {
    return this.#stale.size > 0;
  }

  release() {
    if (!this.held) return;
    for (const code of this.#down) this.#stale.add(code);
    this.#down.clear();
    this.#changed();
  }

  #forget() {
    this.release();
    this.#stale.clear();
  }

  #press(event) {
    if (mayHideKeys(event)) this.#forget();
    if (!isDriving(event.code) || event.ctrlKey || event.altKey || event.metaKey) return;
    // The arrows belong to sliders and choices while these have the focus.
    const field = event.target instanceof HTMLInputElement || event.target instanceof HTMLTextAreaElement;
    if (field && (event.code.startsWith("Arrow") || event.target.type === "text")) return;
    event.preventDefault();
    if (event.repeat || !this.enabled || this.#stale.has(event.code)) return;
    this.#down.add(event.code);
    this.#changed();
  }

  #changed() {
    Object.assign(this, stickOf(this.#down));
    this.dispatchEvent(new Event("move"));
  }
}
