// Says plainly when the page no longer sees the rover, and what can be known of it meanwhile:
// that what this page asked for ends, who else may still be driving, and what to do about a
// control that is not there. Never that it stands.

import { announce, byId, setHidden, setText } from "./dom.js";

const LOST_MS = 500;
const CONTROL_IS_GONE =
  "Control is not running or hangs. Why: journalctl -u rover-control. If the fault lamp blinks: " +
  "systemctl reset-failed rover-control, then systemctl start rover-control.";
const DEADLINE_S = Number(document.body.dataset.webDeadlineS);

export class LostNotice {
  #ageMs = null;
  #ageAtMs = 0;
  #drove = "";
  #trouble = "";
  isShown = true;

  // Takes a state frame; its age is null when control was never heard.
  heard(frame) {
    const { age_ms: ageMs, telemetry, trouble = "" } = frame;
    this.#ageMs = ageMs;
    this.#ageAtMs = performance.now();
    this.#trouble = trouble;
    if (telemetry) this.#drove = whoDrove(frame, telemetry.source);
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
    const advice = byId("lost-advice");
    const isControl = webAnswers && this.#trouble === "";
    setHidden(advice, !isControl);
    setText(advice, isControl ? CONTROL_IS_GONE : "");
    setText(byId("lost-since"), age === null ? "" : `last seen ${(age / 1000).toFixed(1)} s ago`);
  }

  #text(webAnswers) {
    if (webAnswers && this.#trouble) return this.#trouble;
    const cause = webAnswers
      ? "The page is connected, but the rover's control process says nothing. "
      : "This page gets no word from the rover. ";
    return (
      `${cause}What this page asked for ends within ${DEADLINE_S} s; ` +
      `somebody else may still be driving it. ${this.#drove}`
    );
  }
}

function whoDrove({ you_drive: youDrive, driver }, source) {
  if (source === "gamepad") return "Last heard: the gamepad drove.";
  if (youDrive) return "Last heard: you had the wheel.";
  return driver ? `Last heard: ${driver} had the wheel.` : "Last heard: nobody drove.";
}
