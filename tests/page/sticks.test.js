import assert from "node:assert/strict";
import { test } from "node:test";

import { isDriving, mayHideKeys, stickOf } from "../../web/static/keys.js";
import { arrange, position, together, TRAVEL_PX, travels } from "../../web/static/stick-maths.js";

const FREE = travels(500, 500, 1000, 1000);

test("a thumb that has not moved asks for nothing, wherever it landed", () => {
  for (const [x, y] of [[0, 0], [500, 500], [999, 3]]) {
    assert.deepEqual(position(0, 0, travels(x, y, 1000, 1000), "both"), { forward: 0, left: 0 });
  }
});

test("up is forward and left is positive, straight on to the end and not beyond", () => {
  assert.deepEqual(position(0, -TRAVEL_PX / 2, FREE, "both"), { forward: 0.5, left: 0 });
  assert.deepEqual(position(-TRAVEL_PX / 4, TRAVEL_PX, FREE, "both"), { forward: -1, left: 0.25 });
  assert.deepEqual(position(999, -999, FREE, "both"), { forward: 1, left: -1 });
});

test("no dead zone and no curve here: those are the rover's", () => {
  assert.equal(position(0, -1, FREE, "both").forward, 1 / TRAVEL_PX);
});

test("a pad with one axis does not hear the other", () => {
  assert.deepEqual(position(-30, -30, FREE, "drive"), { forward: 30 / TRAVEL_PX, left: 0 });
  assert.deepEqual(position(-30, -30, FREE, "turn"), { forward: 0, left: 30 / TRAVEL_PX });
  assert.deepEqual(position(-30, -30, FREE, "off"), { forward: 0, left: 0 });
});

test("near the edge of the glass the end is nearer too", () => {
  const travel = travels(50, 960, 400, 1000);
  assert.equal(travel.down, 30);
  assert.equal(travel.left, 40);
  assert.equal(travel.up, TRAVEL_PX);
  assert.equal(position(0, 30, travel, "both").forward, -1);
  assert.ok(travels(1, 1, 400, 1000).up >= 24, "never so near that it is a switch");
});

test("one thumb does everything on one pad, two share", () => {
  const axes = (mode, thumbs) => [arrange(mode, thumbs).first.axes, arrange(mode, thumbs).second.axes];
  assert.deepEqual(axes("arc", "one"), ["off", "both"]);
  assert.deepEqual(axes("crab", "one"), ["off", "both"]);
  assert.deepEqual(axes("spin", "one"), ["off", "turn"]);
  assert.deepEqual(axes("arc", "two"), ["drive", "turn"]);
  assert.deepEqual(axes("crab", "two"), ["drive", "turn"]);
  assert.deepEqual(axes("spin", "two"), ["off", "turn"]);
});

test("sticks together never ask for more than the end", () => {
  assert.deepEqual(together([{ forward: 0.7, left: 0 }, { forward: 0.7, left: -0.2 }]), { forward: 1, left: -0.2 });
  assert.deepEqual(together([]), { forward: 0, left: 0 });
});

test("keys are sticks at their ends, opposite ones cancel out", () => {
  assert.deepEqual(stickOf(["KeyW", "ArrowRight"]), { forward: 1, left: -1 });
  assert.deepEqual(stickOf(["KeyW", "ArrowUp"]), { forward: 1, left: 0 });
  assert.deepEqual(stickOf(["KeyW", "KeyS", "KeyA"]), { forward: 0, left: 1 });
  assert.deepEqual(stickOf([]), { forward: 0, left: 0 });
});

test("only those keys drive", () => {
  assert.ok(isDriving("KeyA"));
  assert.ok(!isDriving("Space"));
  assert.ok(!isDriving("constructor"));
});

test("command and alt may hide a key that is let go", () => {
  assert.ok(mayHideKeys({ metaKey: true, key: "c" }));
  assert.ok(mayHideKeys({ metaKey: false, key: "Alt" }));
  assert.ok(!mayHideKeys({ metaKey: false, key: "Shift" }));
});
