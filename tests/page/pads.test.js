import assert from "node:assert/strict";
import { test } from "node:test";

import { DeadMan, isStandard, read, SILENCE_MS } from "../../web/static/pad-hands.js";

const DEADBAND = 0.08;

// A pad of the standard mapping: `held` are its pressed buttons, `triggers` left and right.
function pad({ held = [], axes = [0, 0, 0, 0], triggers = [0, 0], stamp = 1 } = {}) {
  const buttons = Array.from({ length: 17 }, (_, i) => ({ pressed: held.includes(i), value: held.includes(i) ? 1 : 0 }));
  [buttons[6].value, buttons[7].value] = triggers;
  return { mapping: "standard", axes, buttons, timestamp: stamp };
}

// A pad's hands as time goes by; every reading is new unless `silent`.
class Held {
  deadMan = new DeadMan();
  #nowMs = 0;

  at(what, { afterMs = 20, silent = false } = {}) {
    this.#nowMs += afterMs;
    return this.deadMan.permit(read(pad({ ...what, stamp: silent ? 1 : this.#nowMs }), DEADBAND), this.#nowMs);
  }
}

const HELD = { held: [5] };
const PUSHED = { held: [5], axes: [0, -1, 0, 0] };

test("left stick and triggers drive, the right stick steers, raw", () => {
  const hands = read(pad({ axes: [0.9, -0.5, 0.25, 0.9] }), DEADBAND);
  assert.equal(hands.forward, 0.5);
  assert.equal(hands.left, -0.25);
  assert.equal(read(pad({ triggers: [0.2, 0.7] }), DEADBAND).forward.toFixed(2), "0.50");
});

test("numbers that are none, or too large, are no push", () => {
  assert.equal(read(pad({ axes: [0, NaN, undefined] }), DEADBAND).forward, 0);
  assert.equal(read(pad({ axes: [0, -7, 3] }), DEADBAND).forward, 1);
  assert.equal(read({ mapping: "standard", axes: [], buttons: [] }, DEADBAND).deadMan, false);
});

test("only the standard mapping is known", () => {
  assert.ok(isStandard(pad()));
  assert.ok(!isStandard({ mapping: "" }));
});

test("nothing counts without the right shoulder", () => {
  const held = new Held();
  held.at({});
  assert.equal(held.at({ axes: [0, -1, 0, 0] }), false);
});

test("pressed at rest the sticks count until it is let go", () => {
  const held = new Held();
  held.at({});
  assert.equal(held.at(HELD), true);
  assert.equal(held.at(PUSHED), true);
  assert.equal(held.at({ axes: [0, -1, 0, 0] }), false);
  assert.equal(held.at(PUSHED), false, "pressed again with the stick held");
  assert.match(held.deadMan.waiting, /Let the gamepad's sticks go/);
  assert.equal(held.at(HELD), true);
  assert.equal(held.at(PUSHED), true);
  assert.equal(held.deadMan.waiting, "");
});

test("a stick and a trigger that cancel out are not at rest", () => {
  const held = new Held();
  held.at({});
  assert.equal(held.at({ held: [5], axes: [0, -1, 0, 0], triggers: [1, 0] }), false);
});

test("a shoulder that was down when the pad appeared counts for nothing", () => {
  const held = new Held();
  assert.equal(held.at(HELD), false);
  assert.equal(held.at(PUSHED), false);
  held.at({});
  assert.equal(held.at(HELD), true);
});

test("what the page let go of needs the shoulder anew", () => {
  const held = new Held();
  held.at({});
  held.at(HELD);
  held.deadMan.letGo("Stopped");
  assert.equal(held.at(HELD), false);
  assert.equal(held.deadMan.waiting, "Stopped");
  held.at({});
  assert.equal(held.deadMan.waiting, "");
  assert.equal(held.at(HELD), true);
});

test("a pad that falls silent with a stick held stops, one at rest may be silent", () => {
  const held = new Held();
  held.at({});
  held.at(HELD);
  assert.equal(held.at(HELD, { silent: true, afterMs: 10 * SILENCE_MS }), true);
  assert.equal(held.at(PUSHED), true);
  assert.equal(held.at({ ...PUSHED }, { silent: true }), true, "the first look at an old stamp");
  assert.equal(held.at(PUSHED, { silent: true, afterMs: SILENCE_MS - 1 }), true);
  assert.equal(held.at(PUSHED, { silent: true, afterMs: 2 }), false);
  assert.match(held.deadMan.waiting, /silent/);
  assert.equal(held.at(PUSHED), false, "until the shoulder is pressed anew");
});

test("the right of the four buttons stops, the top changes the mode, the left the gear", () => {
  assert.ok(read(pad({ held: [1] }), DEADBAND).stop);
  assert.ok(!read(pad({ held: [0] }), DEADBAND).stop);
  assert.ok(!read(pad({ held: [2] }), DEADBAND).mode);
  assert.ok(read(pad({ held: [2] }), DEADBAND).gear);
  assert.ok(read(pad({ held: [3] }), DEADBAND).mode);
});
