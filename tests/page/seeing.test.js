import assert from "node:assert/strict";
import { test } from "node:test";

import { BatteryLife, describeHours } from "../../web/static/battery-life.js";
import { describe, roundTripMs } from "../../web/static/latency.js";
import { moves, turningCentre } from "../../web/static/motion.js";
import { Deafness } from "../../web/static/neutral.js";
import { axis, Ring } from "../../web/static/ring.js";
import { Track } from "../../web/static/track.js";

test("a ring keeps the newest, in order, and counts no more than it holds", () => {
  const ring = new Ring(3, 2);
  for (const time of [1, 2, 3, 4]) ring.add(time, [time * 10, null]);
  const seen = [];
  ring.walk(0, 3, (time, value) => seen.push([time, value]));
  assert.deepEqual(seen, [[3, 30], [4, 40]]);
  assert.equal(ring.length, 3);
  assert.deepEqual(ring.range([0], 0), { least: 20, most: 40 });
  assert.equal(ring.range([1], 0), null, "gaps are no samples");
});

test("a clock that goes back begins the ring anew", () => {
  const ring = new Ring(5, 1);
  ring.add(100, [1]);
  ring.add(2, [7]);
  assert.equal(ring.length, 1);
  assert.deepEqual(ring.range([0], 0), { least: 7, most: 7 });
});

test("an axis has round ends around what it holds", () => {
  assert.deepEqual(axis({ least: 0, most: 0.5 }, { span: 0.2, zero: true }), { least: 0, most: 0.5 });
  assert.deepEqual(axis(null, { span: 1, zero: true }), { least: 0, most: 1 });
  const volts = axis({ least: 15.83, most: 15.91 }, { span: 0.5 });
  assert.ok(volts.least <= 15.83 && volts.most >= 15.91 && volts.most - volts.least >= 0.5);
  const both = axis({ least: -0.3, most: 0.2 }, { span: 0.2, zero: true });
  assert.ok(both.least <= -0.3 && both.most >= 0.2);
});

test("a round trip is what the server did not hold", () => {
  assert.equal(roundTripMs(1000, 950, 20), 30);
  assert.equal(roundTripMs(1000, 990, 20), 0);
});

test("a link is told in a word, and its age once it is old", () => {
  assert.deepEqual(describe(null, 0), { level: "unknown", text: "none", word: "" });
  assert.deepEqual(describe(7.4, 10), { level: "good", text: "7 ms", word: "" });
  assert.equal(describe(100, 10).word, " slow");
  assert.equal(describe(200, 10).level, "bad");
  assert.deepEqual(describe(7, 4200), { level: "bad", text: "7 ms", word: " 4 s ago" });
});

function lasting(amps, volts, seconds, capacityAh = 5) {
  const life = new BatteryLife(12, 16, capacityAh);
  for (let at = 0; at <= seconds; at += 0.5) life.hear({ stamp_s: at, voltage_v: volts, current_a: amps });
  return life.hoursLeft;
}

test("half a battery of 5 Ah lasts 2.5 h at 1 A", () => {
  assert.equal(lasting(1, 14, 60), 2.5);
  assert.equal(lasting(1, 11, 60), 0);
});

test("no time is told that nobody can know", () => {
  assert.equal(lasting(1, 14, 10), null, "not heard for long enough");
  assert.equal(lasting(0, 14, 60), null, "nothing is drawn");
  assert.equal(lasting(1, 14, 60, 0), null, "no capacity is set");
  assert.equal(lasting(null, 14, 60), null, "no current is measured");
  assert.equal(lasting(0.1, 16, 60), null, "longer than is worth a figure");
});

test("the mean of the current is slow, and begins anew after a gap of knowledge", () => {
  const life = new BatteryLife(12, 16, 5);
  for (let at = 0; at <= 120; at += 0.5) life.hear({ stamp_s: at, voltage_v: 14, current_a: 1 });
  const before = life.hoursLeft;
  life.hear({ stamp_s: 120.5, voltage_v: 14, current_a: 20 });
  assert.ok(life.hoursLeft > before * 0.8);
  life.hear(null);
  assert.equal(life.hoursLeft, null);
});

test("hours are told in steps that do not pretend", () => {
  assert.equal(describeHours(null), "");
  assert.equal(describeHours(0.005), "under 1 min");
  assert.equal(describeHours(0.12), "about 7 min");
  assert.equal(describeHours(0.7), "about 40 min");
  assert.equal(describeHours(1.34), "about 1 h 20");
  assert.equal(describeHours(2), "about 2 h");
  assert.equal(describeHours(0.999), "about 1 h");
});

test("a push that control does not follow is noticed, and only that", () => {
  const push = { pushing: true, state: "armed", yours: true, source: null };
  const followed = (change, afterMs) => {
    const deafness = new Deafness();
    deafness.heard({ ...push, ...change }, 0);
    return deafness.heard({ ...push, ...change }, afterMs);
  };
  assert.equal(followed({}, 2000), true);
  assert.equal(followed({}, 300), false, "a slow link");
  assert.equal(followed({ source: "web" }, 2000), false);
  assert.equal(followed({ source: "gamepad" }, 2000), false, "that is told already");
  assert.equal(followed({ state: "disarmed" }, 2000), false);
  assert.equal(followed({ pushing: false }, 2000), false);
  assert.equal(followed({ yours: false }, 2000), false);
});

test("the turning centre is where the curvature has it", () => {
  assert.deepEqual(turningCentre({ type: "arc", speed_mps: 1, curvature_per_m: 2 }), { x: 0, y: 0.5 });
  assert.deepEqual(turningCentre({ type: "arc", speed_mps: -1, curvature_per_m: -2 }), { x: 0, y: -0.5 });
  assert.equal(turningCentre({ type: "arc", speed_mps: 1, curvature_per_m: 0 }), null);
  assert.deepEqual(turningCentre({ type: "spin", yaw_rate_rad_s: 1 }), { x: 0, y: 0 });
  assert.equal(turningCentre({ type: "stop", reason: "x" }), null);
  assert.ok(moves({ type: "arc", speed_mps: 0, curvature_per_m: 1 }));
  assert.ok(!moves({ type: "stop", reason: "x" }));
});

test("a path has a gap where the pose has jumped", () => {
  const track = new Track();
  track.add({ x_m: 0, y_m: 0 });
  track.add({ x_m: 0.001, y_m: 0 });
  track.add({ x_m: 0.1, y_m: 0 });
  track.add({ x_m: 5, y_m: 0 });
  assert.deepEqual(track.points.map((point) => point.gap), [true, false, true]);
});
