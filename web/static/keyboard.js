// WASD and the arrows as a stick, for laptops. Event: "move" on every change.

const KEYS = {
  KeyW: [1, 0], ArrowUp: [1, 0],
  KeyS: [-1, 0], ArrowDown: [-1, 0],
  KeyA: [0, 1], ArrowLeft: [0, 1],
  KeyD: [0, -1], ArrowRight: [0, -1],
};

// macOS tells of no key that is let go while Command is held, and some systems keep keys for
// themselves while Alt is: what was held cannot be relied on any more.
const mayHideKeys = (event) => event.metaKey || ["Meta", "OS", "Alt"].includes(event.key);

const clamp = (value) => Math.max(-1, Math.min(1, value));

export class Keyboard extends EventTarget {
  #down = new Set();
  enabled = true;
  forward = 0;
  left = 0;

  constructor() {
    super();
    addEventListener("keydown", (event) => this.#press(event));
    addEventListener("keyup", (event) => {
      if (mayHideKeys(event)) this.release();
      else if (this.#down.delete(event.code)) this.#changed();
    });
  }

  get held() {
    return this.#down.size > 0;
  }

  release() {
    if (!this.held) return;
    this.#down.clear();
    this.#changed();
  }

  #press(event) {
    if (mayHideKeys(event)) this.release();
    if (!(event.code in KEYS) || event.ctrlKey || event.altKey || event.metaKey) return;
    // The arrows belong to the slider while it has the focus.
    if (event.code.startsWith("Arrow") && event.target instanceof HTMLInputElement) return;
    event.preventDefault();
    if (event.repeat || !this.enabled) return;
    this.#down.add(event.code);
    this.#changed();
  }

  #changed() {
    const held = [...this.#down].map((code) => KEYS[code]);
    this.forward = clamp(held.reduce((sum, [forward]) => sum + forward, 0));
    this.left = clamp(held.reduce((sum, [, left]) => sum + left, 0));
    this.dispatchEvent(new Event("move"));
  }
}
