// A gamepad that is plugged into the computer with this page, or paired with the phone, by the
// browser's Gamepad API. Event: "move" on every change, "stop", "mode", "gear", "note" (detail: text),
// "gone" when a pad disappears that was held.

import { DeadMan, isStandard, read } from "./pad-hands.js";

const DEADBAND = Number(document.body.dataset.deadband);

export class Gamepad extends EventTarget {
  #deadMan = null;
  #index = null;
  #before = null;
  // Whether this page's pads may drive at all.
  #wanted = true;
  enabled = true;
  // Whether a gamepad of the rover's own drives, which may be this very one.
  yields = false;
  held = false;
  forward = 0;
  left = 0;

  constructor() {
    super();
    addEventListener("gamepadconnected", ({ gamepad }) => this.#found(gamepad));
    addEventListener("gamepaddisconnected", ({ gamepad }) => {
      if (gamepad.index === this.#index) this.#lose();
    });
  }

  get stale() {
    return this.waiting !== "";
  }

  // Why what is held on the pad does not count, for people.
  get waiting() {
    return this.#deadMan?.waiting ?? "";
  }

  set wanted(wanted) {
    this.#wanted = wanted;
    if (!wanted) this.#forget();
    for (const pad of wanted ? pads() : []) this.#found(pad);
  }

  release() {
    this.#deadMan?.letGo("Let the gamepad's right shoulder go, then press it anew");
    this.#set(false, 0, 0);
  }

  // Looks at the pad; the browser tells of no change by itself.
  poll() {
    if (this.#index === null) return;
    const pad = pads().find(({ index }) => index === this.#index);
    if (!pad || !pad.connected || !isStandard(pad)) return this.#lose();
    const hands = read(pad, DEADBAND);
    const before = this.#before ?? hands;
    this.#before = hands;
    if (hands.stop && !before.stop) this.dispatchEvent(new Event("stop"));
    if (hands.mode && !before.mode && hands.atRest) this.dispatchEvent(new Event("mode"));
    if (hands.gear && !before.gear) this.dispatchEvent(new Event("gear"));
    const counts = this.#deadMan.permit(hands, performance.now());
    // A pad in the hands of somebody who plays in another window is none on this page.
    if (counts && !(this.enabled && document.hasFocus())) return this.release();
    if (counts && !this.yields) this.#set(true, hands.forward, hands.left);
    else this.#set(false, 0, 0);
  }

  // Shakes the pad, where it can be shaken.
  shake(durationMs) {
    const pad = pads().find(({ index }) => index === this.#index);
    pad?.vibrationActuator
      ?.playEffect?.("dual-rumble", { duration: durationMs, strongMagnitude: 1, weakMagnitude: 0.6 })
      // A pad that cannot be shaken is no trouble.
      .catch(() => {});
  }

  #found(pad) {
    if (!this.#wanted || this.#index !== null) return;
    if (!isStandard(pad)) {
      return this.#note(`This browser does not know the buttons of ${pad.id}: it cannot drive here. Plug it into the rover`);
    }
    this.#index = pad.index;
    this.#deadMan = new DeadMan();
    this.#before = null;
    this.#note("Gamepad found: hold its right shoulder to drive, its right button stops");
  }

  #lose() {
    const wasHeld = this.held;
    this.#forget();
    if (wasHeld) this.dispatchEvent(new Event("gone"));
    this.#note(wasHeld ? "The gamepad has gone: stopped" : "The gamepad has gone");
    for (const pad of pads()) this.#found(pad);
  }

  #forget() {
    this.#index = null;
    this.#deadMan = null;
    this.#set(false, 0, 0);
  }

  #set(held, forward, left) {
    if (held === this.held && forward === this.forward && left === this.left) return;
    [this.held, this.forward, this.left] = [held, forward, left];
    this.dispatchEvent(new Event("move"));
  }

  #note(text) {
    this.dispatchEvent(new CustomEvent("note", { detail: text }));
  }
}

const pads = () => (navigator.getGamepads?.() ?? []).filter((pad) => pad !== null);
