// The header and the figures over the picture: state, battery, link, speed, wheel, limits.

import { BatteryLife, describeHours } from "./battery-life.js";
import { announce, byId, make, setData, setHidden, setText } from "./dom.js";
import { describe } from "./latency.js";
import { degrees, describeMotion, moves } from "./motion.js";

const STATES = {
  disarmed: "Disarmed",
  armed: "Armed",
  maintenance: "Calibrating",
  fault: "Fault",
  estop: "E-stop",
};
const STILL_MPS = 0.005;

// What each limit means for the one who drives.
const WHY = {
  "not armed": "nothing moves before it is armed",
  "speed limit": "it is as fast as this rover is allowed to be now",
  acceleration: "it gathers speed and brakes gently",
  "wheel speed": "the outer wheels cannot turn faster",
  "tightest turn": "the corners cannot turn further",
  "corners turning": "the wheels wait until the corners point the right way",
  "this rover cannot": "not all of its wheels steer",
  "trouble with the rover": "something is wrong that lets it only creep: see Conditions",
};

const limits = Object.fromEntries(
  ["Minimum", "Low", "Full"].map((name) => [name, Number(document.body.dataset[`battery${name}V`])]),
);
const life = new BatteryLife(limits.Minimum, limits.Full, Number(document.body.dataset.batteryCapacityAh));

export function showState(state) {
  const badge = byId("state");
  if (badge.dataset.state === state) return;
  setData(badge, "state", state);
  setData(document.body, "state", state);
  badge.querySelector("use").setAttribute("href", `#icon-${state in STATES ? state : "unknown"}`);
  setText(byId("state-text"), STATES[state] ?? "No data");
}

export function showBattery(power) {
  const gauge = byId("battery");
  life.hear(power);
  const left = describeHours(life.hoursLeft);
  setText(byId("battery-left"), left);
  setHidden(byId("battery-left"), left === "");
  if (power === null) {
    setData(gauge, "level", "unknown");
    setText(byId("battery-text"), "no data");
    setText(byId("battery-word"), "");
    return;
  }
  const volts = power.voltage_v;
  const part = Math.max(0, Math.min(1, (volts - limits.Minimum) / (limits.Full - limits.Minimum)));
  const level = volts < limits.Minimum ? "bad" : volts < limits.Low ? "fair" : "good";
  const word = { bad: " empty", fair: " low", good: "" }[level];
  setData(gauge, "level", level);
  byId("battery-fill").style.transform = `scaleX(${part.toFixed(2)})`;
  setText(byId("battery-text"), `${volts.toFixed(1)} V`);
  setText(byId("battery-word"), word);
}

export function showLink(roundTripMs, ageMs) {
  const { level, text, word } = describe(roundTripMs, ageMs);
  setData(byId("link"), "level", level);
  setText(byId("link-text"), text);
  setText(byId("link-word"), word);
}

// What the rover makes of the sticks: its deadband, its curve and the limit are in this.
export function showAsked(motion) {
  const chip = byId("asked-motion");
  setHidden(chip, !moves(motion));
  if (moves(motion)) setText(chip, `asked ${describeMotion(motion)}`);
}

// A null twist is one that nobody has measured lately.
export function showSpeed(twist) {
  if (twist === null) {
    setText(byId("speed"), "?");
    setText(byId("speed-unit"), "m/s, not known");
    return;
  }
  const turning = Math.round(degrees(twist.yaw_rate_rad_s));
  const way = twist.vx_mps < -STILL_MPS ? " back" : "";
  const turn = Math.abs(turning) < 2 ? "" : `, ${Math.abs(turning)}°/s ${turning > 0 ? "left" : "right"}`;
  setText(byId("speed"), Math.abs(twist.vx_mps).toFixed(2));
  setText(byId("speed-unit"), `m/s${way}${turn}`);
}

export function showDriver(frame, source) {
  const chip = byId("wheel-of");
  let text = "The wheel is free";
  if (source === "gamepad") text = "The gamepad drives";
  else if (frame.you_drive) text = "You have the wheel";
  else if (frame.driver) text = `${frame.driver} has the wheel`;
  if (chip.textContent !== text) announce(text);
  setText(chip, text);
  setText(byId("wheel-of-too"), text);
  setData(chip, "yours", String(frame.you_drive));
  setHidden(byId("give"), !frame.you_drive);
}

export function showLimits(limitedBy, shown) {
  const chip = byId("limits");
  const text = shown ? limitedBy.filter((limit) => limit !== "not armed").join(", ") : "";
  setHidden(chip, text === "");
  if (text) setText(chip, `limited by ${text}`);
  showWhy(limitedBy);
}

function showWhy(limitedBy) {
  const list = byId("limits-why");
  const key = limitedBy.join();
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  const lines = limitedBy.map((limit) => make("li", "", `${limit}: ${WHY[limit] ?? "see Conditions"}`));
  list.replaceChildren(...(lines.length ? lines : [make("li", "fine", "Nothing limits it.")]));
}
