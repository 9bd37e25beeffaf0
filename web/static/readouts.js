// The header and the figures over the picture: state, battery, link, speed, wheel, limits.

import { announce, byId, setData, setHidden, setText } from "./dom.js";

const STATES = {
  disarmed: "Disarmed",
  armed: "Armed",
  fault: "Fault",
  estop: "E-stop",
};
const ACTIONS = {
  disarmed: ["arm", "Arm"],
  armed: ["disarm", "Disarm"],
  fault: ["clear", "Clear fault"],
  estop: ["clear", "Clear stop"],
};
const GOOD_MS = 60;
const FAIR_MS = 150;

const limits = Object.fromEntries(
  ["Minimum", "Low", "Full"].map((name) => [name, Number(document.body.dataset[`battery${name}V`])]),
);

export function showState(state) {
  const badge = byId("state");
  if (badge.dataset.state === state) return;
  setData(badge, "state", state);
  setData(document.body, "state", state);
  badge.querySelector("use").setAttribute("href", `#icon-${state in STATES ? state : "unknown"}`);
  setText(byId("state-text"), STATES[state] ?? "No data");
}

export function showAction(state, mayDrive) {
  const button = byId("action");
  const [kind, text] = ACTIONS[state] ?? ACTIONS.disarmed;
  setData(button, "kind", kind);
  setText(button, mayDrive ? text : "Watching");
  button.disabled = !mayDrive || !(state in ACTIONS);
  button.title = mayDrive ? "" : "Open the link with the key to drive";
}

export function showBattery(power) {
  const gauge = byId("battery");
  if (power === null) {
    setData(gauge, "level", "unknown");
    setText(byId("battery-text"), "no data");
    return;
  }
  const volts = power.voltage_v;
  const part = Math.max(0, Math.min(1, (volts - limits.Minimum) / (limits.Full - limits.Minimum)));
  const level = volts < limits.Minimum ? "bad" : volts < limits.Low ? "fair" : "good";
  const word = { bad: " empty", fair: " low", good: "" }[level];
  setData(gauge, "level", level);
  byId("battery-fill").style.transform = `scaleX(${part.toFixed(2)})`;
  setText(byId("battery-text"), `${volts.toFixed(1)} V${word}`);
}

export function showLink(roundTripMs) {
  const gauge = byId("link");
  if (roundTripMs === null) {
    setData(gauge, "level", "unknown");
    setText(byId("link-text"), "none");
    return;
  }
  const level = roundTripMs <= GOOD_MS ? "good" : roundTripMs <= FAIR_MS ? "fair" : "bad";
  const word = { good: "", fair: " slow", bad: " too slow" }[level];
  setData(gauge, "level", level);
  setText(byId("link-text"), `${Math.round(roundTripMs)} ms${word}`);
}

export function showSpeed(twist) {
  setText(byId("speed"), Math.abs(twist.vx_mps).toFixed(2));
}

export function showDriver(frame, source, client) {
  const chip = byId("wheel-of");
  let text = "nobody drives";
  if (source === "gamepad") text = "the gamepad drives";
  else if (frame.you_drive) text = `you drive (${client})`;
  else if (frame.driver) text = `${frame.driver} drives`;
  if (chip.textContent !== text) announce(text);
  setText(chip, text);
  setData(chip, "yours", String(frame.you_drive));
  setHidden(byId("give"), !frame.you_drive);
}

export function showLimits(limitedBy, shown) {
  const chip = byId("limits");
  const text = shown ? limitedBy.filter((limit) => limit !== "not armed").join(", ") : "";
  setHidden(chip, text === "");
  if (text) setText(chip, `limited by ${text}`);
}
