// Which keys drive, and what those that are held ask for.

import { clamp } from "./stick-maths.js";

const KEYS = {
  KeyW: [1, 0], ArrowUp: [1, 0],
  KeyS: [-1, 0], ArrowDown: [-1, 0],
  KeyA: [0, 1], ArrowLeft: [0, 1],
  KeyD: [0, -1], ArrowRight: [0, -1],
};

export const isDriving = (code) => Object.hasOwn(KEYS, code);

// macOS tells of no key that is let go while Command is held, and some systems keep keys for
// themselves while Alt is: what was held cannot be relied on any more.
export const mayHideKeys = (event) => event.metaKey || ["Meta", "OS", "Alt"].includes(event.key);

// The stick that the held keys, by their codes, stand for; opposite keys cancel out.
export function stickOf(codes) {
  const held = [...codes].map((code) => KEYS[code]);
  return {
    forward: clamp(held.reduce((sum, [forward]) => sum + forward, 0)),
    left: clamp(held.reduce((sum, [, left]) => sum + left, 0)),
  };
}
