// What the page has to say in words: refusals, what is wrong, what this page may not, and that
// it waits for sticks to be let go.

import { announce, byId, make, onPress, setData, setHidden, setText } from "./dom.js";

const TOLD_MS = 4000;
const REFUSED = {
  arm: "Cannot arm",
  disarm: "Cannot disarm",
  clear: "Cannot clear",
};

export class Notices {
  #told = "";
  #toldUntilMs = 0;

  constructor() {
    onPress(byId("refused-close"), () => this.closeRefusals());
  }

  // Every reason why a request was refused.
  refuse(kind, refusals) {
    setText(byId("refused-title"), REFUSED[kind] ?? `Refused: ${kind}`);
    byId("refused-list").replaceChildren(...refusals.map((text) => make("li", "", text)));
    setHidden(byId("refused"), false);
  }

  closeRefusals() {
    setHidden(byId("refused"), true);
  }

  // Something of the moment: shown for a while, before all else.
  tell(text) {
    this.#told = text;
    this.#toldUntilMs = performance.now() + TOLD_MS;
    announce(text);
  }

  // The first of what is wrong, or how many things there are.
  show(found, state) {
    const notice = byId("notice");
    const isTold = performance.now() < this.#toldUntilMs;
    const errors = found.filter((problem) => problem.severity === "error");
    let text = "";
    if (isTold) text = this.#told;
    else if (state === "disarmed" && errors.length > 1) text = `${errors.length} reasons against arming`;
    else if (errors.length > 0) text = errors[0].text;
    else if (found.length > 0) text = found[0].text;
    setHidden(notice, text === "");
    setText(notice, text);
    setData(notice, "severity", errors.length > 0 || isTold ? "error" : "warning");
  }

  // What has to be let go of before anything moves again; empty for nothing.
  wait(text) {
    const waiting = byId("waiting");
    setText(waiting, text);
    setHidden(waiting, text === "");
  }
}
