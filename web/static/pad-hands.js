// A browser's gamepad as hands on sticks. Only pads of the standard mapping, whose buttons are
// known by their numbers, drive; which button does what is as on a pad of the rover's own.

import { clamp } from "./stick-maths.js";

const STANDARD = "standard";
const MODE = 3; // the top of the four
const GEAR = 2; // the left of the four
const STOP = 1; // the right of the four
const DEAD_MAN = 5; // the right shoulder
const REVERSE = 6;
const FORWARD = 7;
const DRIVE_AXIS = 1; // left stick, down is positive
const TURN_AXIS = 2; // right stick, right is positive
// A stick that is held trembles; a pad that says nothing for so long has lost its radio.
export const SILENCE_MS = 1000;

export const isStandard = (pad) => pad.mapping === STANDARD;

// Where everything is on a pad, before any shaping. `deadband` is how far off a stick may be at
// rest: what the rover takes for neutral.
export function read(pad, deadband) {
  const pressed = (number) => pad.buttons[number]?.pressed ?? false;
  const pulled = (number) => pad.buttons[number]?.value ?? 0;
  const axis = (number) => (Number.isFinite(pad.axes[number]) ? clamp(pad.axes[number]) : 0);
  const stick = -axis(DRIVE_AXIS);
  const triggers = pulled(FORWARD) - pulled(REVERSE);
  const parts = [stick, axis(TURN_AXIS), pulled(FORWARD), pulled(REVERSE)];
  return {
    forward: clamp(stick + triggers) + 0,
    left: -axis(TURN_AXIS) + 0,
    deadMan: pressed(DEAD_MAN),
    stop: pressed(STOP),
    mode: pressed(MODE),
    gear: pressed(GEAR),
    // Of a stick and a trigger that cancel out neither is at rest.
    atRest: parts.every((part) => Math.abs(part) <= deadband),
    stampMs: pad.timestamp,
  };
}

// The dead-man button of one pad. The sticks count while it is held, if they were at rest when it
// went down or have been since; never a button that was down when the pad appeared.
export class DeadMan {
  #wasDown = true;
  #isLive = false;
  #hasRested = false;
  #stampMs = -Infinity;
  #heardMs = 0;
  // Why the sticks do not count though the button is held, for people; empty if they do.
  waiting = "";

  // Takes what was read at `nowMs`; returns whether the sticks count.
  permit(hands, nowMs) {
    if (hands.stampMs !== this.#stampMs) {
      this.#stampMs = hands.stampMs;
      this.#heardMs = nowMs;
    }
    if (!hands.deadMan) {
      this.#isLive = false;
      this.#hasRested = false;
      this.waiting = "";
    } else if (!this.#wasDown) {
      this.#isLive = true;
      this.#hasRested = false;
    }
    this.#wasDown = hands.deadMan;
    if (!hands.deadMan) return false;
    if (hands.atRest) this.#hasRested = true;
    else if (nowMs - this.#heardMs > SILENCE_MS) this.letGo("The gamepad fell silent: press its right shoulder anew");
    if (this.#isLive && !this.#hasRested) this.waiting = "Let the gamepad's sticks go, then push again";
    else if (this.#isLive) this.waiting = "";
    return this.#isLive && this.#hasRested;
  }

  // The button must come up and go down again before the sticks count.
  letGo(why) {
    if (this.#isLive) this.waiting = why;
    this.#isLive = false;
  }
}
