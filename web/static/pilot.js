// Sends where the thumbs are: at once when they move, often while they are held, and now and
// then at neutral so that the rover knows that the page is there. Nothing from a hidden page.

import { together } from "./stick-maths.js";

const FASTEST_MS = 20; // 50 Hz while a thumb moves
const HELD_MS = 40; // 25 Hz while one is held still, and on the way back to neutral
const RESTING_MS = 100;
const RETURNING_MS = 300;

export class Pilot {
  #link;
  #inputs;
  #sequence = 0;
  #sentMs = -Infinity;
  #movedMs = -Infinity;
  #soon = 0;
  mode = "arc";
  limit = 0.5;

  constructor(link, inputs) {
    this.#link = link;
    this.#inputs = inputs;
    for (const input of inputs) input.addEventListener("move", () => this.#moved());
    link.addEventListener("open", () => {
      this.#sequence = 0;
      this.release();
    });
    setInterval(() => this.#tick(), HELD_MS / 2);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.halt("hidden");
    });
    addEventListener("pagehide", () => this.halt("left"));
    document.addEventListener("freeze", () => this.halt("hidden"));
    addEventListener("blur", () => this.release());
    addEventListener("touchcancel", () => this.halt("cancelled"));
  }

  get held() {
    return this.#inputs.some((input) => input.held);
  }

  // Whether something is held that counts for nothing until it has been let go.
  get stale() {
    return this.#inputs.some((input) => input.stale);
  }

  set enabled(enabled) {
    for (const input of this.#inputs) input.enabled = enabled;
    if (!enabled) this.release();
  }

  // Where all inputs together are.
  get position() {
    return together(this.#inputs);
  }

  // All inputs to neutral, and say so at once.
  release() {
    if (!this.held) return;
    for (const input of this.#inputs) input.release();
    this.#send();
  }

  // Stop what this page has set in motion, without waiting for the next frame.
  halt(reason) {
    for (const input of this.#inputs) input.release();
    this.#link.send({ type: "halt", reason });
  }

  #moved() {
    const now = performance.now();
    this.#movedMs = now;
    const wait = this.#sentMs + FASTEST_MS - now;
    // Letting go is never put off.
    if (wait <= 0 || !this.held) this.#send();
    else if (!this.#soon) this.#soon = setTimeout(() => this.#send(), wait);
  }

  #tick() {
    for (const input of this.#inputs) input.poll?.();
    const now = performance.now();
    const busy = this.held || now - this.#movedMs < RETURNING_MS;
    if (now - this.#sentMs >= (busy ? HELD_MS : RESTING_MS) - 1) this.#send();
  }

  #send() {
    clearTimeout(this.#soon);
    this.#soon = 0;
    if (document.hidden || !this.#link.mayDrive || this.#link.seenS === null) return;
    const { forward, left } = this.position;
    // On a link that is stuck only neutral is worth queueing.
    if (this.#link.isBusy && (forward !== 0 || left !== 0)) return;
    this.#sequence += 1;
    this.#sentMs = performance.now();
    this.#link.send({
      type: "drive",
      seq: this.#sequence,
      drive: forward,
      turn: left,
      mode: this.mode,
      limit: this.limit,
      seen_s: this.#link.seenS,
    });
  }
}
