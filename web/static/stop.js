// The stop button: by WebSocket, and by a plain request as well if that is not answered soon.

import { announce, byId } from "./dom.js";

const SECOND_WAY_MS = 400;

export class StopButton {
  #link;
  #before;
  #unanswered = new Map();

  // `before` is called at every stop, to bring the sticks to neutral.
  constructor(link, before) {
    this.#link = link;
    this.#before = before;
    const button = byId("stop");
    // A stop must not wait for the finger to lift.
    button.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.press();
    });
    button.addEventListener("click", (event) => {
      // Keyboards and screen readers click without a pointer.
      if (event.detail === 0) this.press();
    });
    addEventListener("keydown", (event) => {
      if (event.code !== "Space") return;
      event.preventDefault();
      if (!event.repeat) this.press();
    });
    // Space would also click a focused button when it comes up.
    addEventListener("keyup", (event) => {
      if (event.code === "Space") event.preventDefault();
    });
    link.addEventListener("answer", ({ detail }) => {
      clearTimeout(this.#unanswered.get(detail.number));
      this.#unanswered.delete(detail.number);
    });
  }

  press() {
    this.#before();
    announce("Stop");
    const button = byId("stop");
    button.classList.remove("pressed");
    requestAnimationFrame(() => button.classList.add("pressed"));
    const number = this.#link.request("stop");
    if (number === 0) this.#post();
    else this.#unanswered.set(number, setTimeout(() => this.#post(), SECOND_WAY_MS));
  }

  async #post() {
    try {
      const who = this.#link.client || "a page";
      await fetch("/api/stop", { method: "POST", keepalive: true, body: JSON.stringify({ who }) });
    } catch {
      // No way to the rover at all; the page's "link lost" says so.
    }
  }
}
