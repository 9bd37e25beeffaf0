// Says plainly when the page no longer sees the rover, and what the rover does meanwhile.

import { announce, byId, setHidden, setText } from "./dom.js";

const LOST_MS = 500;
const DEADLINE_S = Number(document.body.dataset.webDeadlineS);

export class LostNotice {
  #ageMs = null;
  #ageAtMs = 0;
  #gamepadDrove = false;
  #trouble = "";
  isShown = true;

  // Takes a state frame; its age is null when control was never heard.
  heard({ age_ms: ageMs, telemetry, trouble = "" }) {
    this.#ageMs = ageMs;
    this.#ageAtMs = performance.now();
    this.#trouble = trouble;
    if (telemetry) this.#gamepadDrove = telemetry.source === "gamepad";
  }

  // Shows or hides the notice; tells whether the rover is out of sight.
  update(link) {
    const age = this.#ageMs === null ? null : this.#ageMs + performance.now() - this.#ageAtMs;
    const lost = age === null || age > LOST_MS;
    if (lost !== this.isShown) {
      this.isShown = lost;
      if (!lost) announce("Connected");
    }
    setHidden(byId("lost"), !lost);
    if (lost) this.#explain(link, age);
    return lost;
  }

  #explain(link, age) {
    const silentMs = performance.now() - Math.max(link.heardMs, 0);
    const webAnswers = link.isOpen && silentMs < 2 * LOST_MS;
    const title = age === null && !webAnswers ? "Connecting" : webAnswers ? "Control is silent" : "Link lost";
    setText(byId("lost-title"), title);
    setText(byId("lost-text"), age === null && !webAnswers ? "Waiting for the rover." : this.#text(webAnswers));
    setText(byId("lost-since"), age === null ? "" : `last seen ${(age / 1000).toFixed(1)} s ago`);
  }

  #text(webAnswers) {
    if (webAnswers && this.#trouble) return this.#trouble;
    const cause = webAnswers
      ? "The page is connected, but the rover's control process says nothing. "
      : "This page gets no word from the rover. ";
    if (this.#gamepadDrove) return `${cause}The gamepad drove it last and may still drive it.`;
    const why = webAnswers
      ? "its motor controllers stop when control falls silent."
      : `without commands it does within ${DEADLINE_S} s.`;
    return `${cause}The rover has stopped by itself: ${why}`;
  }
}
