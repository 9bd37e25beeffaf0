// The stop button. A stop is asked for again and again, by every way there is, until control
// has confirmed it; meanwhile the page says that it has not.

import { announce, byId, setHidden } from "./dom.js";

const REPEAT_MS = 400;
// A request on which nothing comes back makes room for others.
const GIVEN_UP_MS = 2000;

export class StopButton {
  #link;
  #before;
  #numbers = new Set();
  #repeating = 0;

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
      if (this.#numbers.delete(detail.number)) this.#answered(detail.accepted);
    });
    link.addEventListener("state", ({ detail }) => {
      if (detail.telemetry?.state === "estop") this.#answered(true);
    });
  }

  press() {
    this.#before();
    announce("Stop");
    const button = byId("stop");
    button.classList.remove("pressed");
    requestAnimationFrame(() => button.classList.add("pressed"));
    if (this.#repeating === 0) this.#repeating = setInterval(() => this.#repeat(), REPEAT_MS);
    this.#ask();
  }

  #repeat() {
    this.#answered(false);
    this.#ask();
  }

  #ask() {
    const number = this.#link.request("stop");
    if (number !== 0) this.#numbers.add(number);
    // A connection that is called open may be stalled or dead all the same.
    this.#post();
  }

  async #post() {
    const round = this.#repeating;
    const given = new AbortController();
    setTimeout(() => given.abort(), GIVEN_UP_MS);
    let accepted = false;
    try {
      const who = this.#link.client || "a page";
      const response = await fetch("/api/stop", {
        method: "POST",
        keepalive: true,
        body: JSON.stringify({ who }),
        signal: given.signal,
      });
      accepted = response.ok && (await response.json()).accepted;
    } catch {
      // No way to the rover, or no answer: not confirmed.
    }
    // What comes late is about a stop that was confirmed before this one.
    if (round === this.#repeating) this.#answered(accepted);
  }

  #answered(accepted) {
    if (this.#repeating === 0) return;
    if (accepted) {
      clearInterval(this.#repeating);
      this.#repeating = 0;
      this.#numbers.clear();
    }
    setHidden(byId("unconfirmed"), accepted);
  }
}
