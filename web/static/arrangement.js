// Which pads there are, where, and what each is for: by driving mode, thumbs, hand and screen.

import { byId, setData, setText } from "./dom.js";
import { arrange } from "./stick-maths.js";

const wide = matchMedia("(orientation: landscape)");

export class Arrangement {
  #sticks;
  #before;
  mode = "arc";
  thumbs = "auto";
  hand = "right";

  // `sticks` are the first and the second; `before` is called before anything moves.
  constructor(sticks, before) {
    this.#sticks = sticks;
    this.#before = before;
    wide.addEventListener("change", () => this.show());
  }

  // Unless chosen, one thumb upright, two on a screen that lies.
  show() {
    this.#before();
    const thumbs = this.thumbs === "auto" ? (wide.matches ? "two" : "one") : this.thumbs;
    setData(document.body, "thumbs", thumbs);
    setData(document.body, "hand", this.hand);
    const { first, second } = arrange(this.mode, thumbs);
    [first, second].forEach(({ axes, hint }, i) => {
      const pad = byId(["pad-left", "pad-right"][i]);
      this.#sticks[i].axes = axes;
      setData(pad, "axes", axes);
      setText(pad.querySelector(".pad-hint"), hint);
      pad.classList.toggle("unused", axes === "off");
    });
  }
}
