// How fast a stick at its end may be: two gears, each with a limit of its own, both remembered.

import { byId, onPress, setText } from "./dom.js";
import { remember, remembered } from "./settings.js";

const START = { slow: 0.2, normal: 0.5 };
const NAMES = { slow: "limit-slow", normal: "limit" };
const WORDS = { slow: "Slow", normal: "Normal" };

export class SpeedLimit {
  #slider = byId("limit");
  #gear = remembered("gear", "normal") === "slow" ? "slow" : "normal";
  #limits = { slow: remembered(NAMES.slow, START.slow), normal: remembered(NAMES.normal, START.normal) };
  #maxSpeedMps = 1;
  #use;

  // `use` gets the part of the full speed, at once and at every change.
  constructor(use) {
    this.#use = use;
    this.#slider.addEventListener("input", () => {
      this.#limits[this.#gear] = Number(this.#slider.value);
      remember(NAMES[this.#gear], this.#limits[this.#gear]);
      this.#show();
    });
    onPress(byId("gear"), () => this.shift());
    this.#show();
  }

  // The other gear.
  shift() {
    this.#gear = this.#gear === "slow" ? "normal" : "slow";
    remember("gear", this.#gear);
    this.#show();
  }

  // The speed of a stick at its end without any limit, as the rover tells it.
  set maxSpeedMps(maxSpeedMps) {
    if (maxSpeedMps === this.#maxSpeedMps) return;
    this.#maxSpeedMps = maxSpeedMps;
    this.#show();
  }

  #show() {
    this.#slider.value = String(this.#limits[this.#gear]);
    // What was remembered may lie outside the slider.
    const part = Number(this.#slider.value);
    this.#use(part);
    const speed = `${(part * this.#maxSpeedMps).toFixed(2)} m/s`;
    setText(byId("limit-text"), speed);
    this.#slider.setAttribute("aria-valuetext", speed);
    setText(byId("gear-text"), WORDS[this.#gear]);
    byId("gear").dataset.gear = this.#gear;
    byId("gear").setAttribute("aria-label", `Speed: ${WORDS[this.#gear]}`);
  }
}
