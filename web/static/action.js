// The button that arms, disarms or clears, whichever the rover's state leaves to be done.
//
// What it does changes while people reach for it: a press counts only if it began when the
// button had been as it is for a while, so that nobody presses what was not there yet.

import { byId, onPress, setData, setText } from "./dom.js";

const ACTIONS = {
  disarmed: ["arm", "Arm"],
  armed: ["disarm", "Disarm"],
  maintenance: ["disarm", "End calibration"],
  fault: ["clear", "Clear fault"],
  estop: ["clear", "Clear stop"],
};
const SETTLE_MS = 1000;

export class ActionButton {
  #button = byId("action");
  #shown = "";
  #state = "unknown";
  #settledMs = Infinity;
  #settling = 0;
  #begunMs = -Infinity;

  // `act` gets what is asked for and the state in which the person saw the rover.
  constructor(act) {
    const begin = () => {
      this.#begunMs = performance.now();
    };
    this.#button.addEventListener("pointerdown", begin);
    this.#button.addEventListener("keydown", (event) => {
      // A key that is held would press again and again.
      if (event.repeat) event.preventDefault();
      else begin();
    });
    // Screen readers click without either.
    this.#button.addEventListener("click", ({ detail }) => detail === 0 && begin());
    onPress(this.#button, () => {
      const begunMs = this.#begunMs;
      this.#begunMs = -Infinity;
      if (begunMs >= this.#settledMs) act(this.#button.dataset.kind, this.#state);
    });
  }

  show(state, mayDrive) {
    const [kind, text] = ACTIONS[state] ?? ACTIONS.disarmed;
    const disabled = !mayDrive || !(state in ACTIONS);
    this.#state = state;
    this.#settle(disabled ? "nothing" : state);
    setData(this.#button, "kind", kind);
    setText(this.#button, mayDrive ? text : "Watching");
    this.#button.disabled = disabled;
    this.#button.title = mayDrive ? "" : "Open the link with the key to drive";
  }

  #settle(shown) {
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#settledMs = performance.now() + SETTLE_MS;
    setData(this.#button, "settled", "false");
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => setData(this.#button, "settled", "true"), SETTLE_MS);
  }
}
