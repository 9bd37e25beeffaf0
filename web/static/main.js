// Joins the page's parts: what comes in from the link goes to the views, what people do goes out.

import { ActionButton } from "./action.js";
import { openDetails, problems, showEvents, showFigures, showProblems, showWheels } from "./details.js";
import { DeviceList } from "./devices.js";
import { announce, byId, make, onPress, setData, setHidden, setText } from "./dom.js";
import { Keyboard } from "./keyboard.js";
import { Link } from "./link.js";
import { LostNotice } from "./lost.js";
import { moves } from "./motion.js";
import { Pilot } from "./pilot.js";
import {
  showBattery, showDriver, showLimits, showLink, showSpeed, showState,
} from "./readouts.js";
import { Scene } from "./scene.js";
import { remember, remembered } from "./settings.js";
import { Stick } from "./stick.js";
import { StopButton } from "./stop.js";
import { Track } from "./track.js";
import { Wheel } from "./wheel.js";

const LOOK_MS = 100;
const REASON_SHOWN_MS = 4000;

const REFUSED = {
  arm: "Cannot arm",
  disarm: "Cannot disarm",
  clear: "Cannot clear",
};

const link = new Link();
const pads = { left: new Stick(byId("pad-left")), right: new Stick(byId("pad-right")) };
const pilot = new Pilot(link, [pads.left, pads.right, new Keyboard()]);
const scene = new Scene(byId("scene"), byId("stage"), new Track());
const lost = new LostNotice();
const devices = new DeviceList();
const wheel = new Wheel(link, pilot);
new StopButton(link, () => pilot.release());
const action = new ActionButton((kind, seen) => {
  pilot.release();
  link.request(kind, seen);
});

let state = "unknown";
let maxSpeed = 1;
let reason = "";
let reasonUntilMs = 0;

// One pad for both axes in portrait, one for each in landscape and on desks.
const wide = matchMedia("(orientation: landscape)");

function arrangePads() {
  pilot.release();
  const mode = pilot.mode;
  pads.left.axes = "drive";
  pads.right.axes = wide.matches || mode === "spin" ? "turn" : "both";
  const hints = {
    arc: wide.matches ? ["Drive", "Steer"] : ["", "Drive and steer"],
    spin: wide.matches ? ["", "Spin"] : ["", "Spin"],
    crab: wide.matches ? ["Forward", "Sideways"] : ["", "Slide"],
  }[mode];
  ["left", "right"].forEach((side, i) => {
    const pad = byId(`pad-${side}`);
    setData(pad, "axes", pads[side].axes);
    setText(pad.querySelector(".pad-hint"), hints[i]);
    pad.classList.toggle("unused", mode === "spin" && side === "left");
  });
}

function chooseMode(mode) {
  pilot.mode = mode;
  for (const button of byId("modes").children) {
    button.setAttribute("aria-checked", String(button.dataset.mode === mode));
  }
  arrangePads();
}

function showLimit() {
  setText(byId("limit-text"), `${(pilot.limit * maxSpeed).toFixed(2)} m/s`);
}

function showRefusals(kind, refusals) {
  setText(byId("refused-title"), REFUSED[kind]);
  byId("refused-list").replaceChildren(...refusals.map((text) => make("li", "", text)));
  setHidden(byId("refused"), false);
}

function showNotice(found) {
  const notice = byId("notice");
  const now = performance.now();
  const errors = found.filter((problem) => problem.severity === "error");
  let text = "";
  if (now < reasonUntilMs) text = reason;
  else if (state === "disarmed" && errors.length > 1) text = `${errors.length} reasons against arming`;
  else if (errors.length > 0) text = errors[0].text;
  else if (found.length > 0) text = found[0].text;
  setHidden(notice, text === "");
  setText(notice, text);
  setData(notice, "severity", errors.length > 0 || now < reasonUntilMs ? "error" : "warning");
}

function showTelemetry(frame, telemetry) {
  if (state !== telemetry.state) {
    state = telemetry.state;
    setHidden(byId("refused"), true);
  }
  if (maxSpeed !== telemetry.max_speed_mps) {
    maxSpeed = telemetry.max_speed_mps;
    showLimit();
  }
  const found = problems(telemetry);
  showState(telemetry.state);
  action.show(telemetry.state, link.mayDrive);
  showBattery(telemetry.power);
  showSpeed(telemetry.twist);
  showDriver(frame, telemetry.source);
  showLimits(telemetry.limited_by, moves(telemetry.asked));
  showProblems(found);
  showNotice(found);
  showWheels(telemetry.wheels);
  showEvents(telemetry);
  showFigures(telemetry, link, frame);
  setText(byId("name"), telemetry.rover);
  setHidden(byId("modes").querySelector("[data-mode=crab]"), !telemetry.can_crab);
  if (!telemetry.can_crab && pilot.mode === "crab") chooseMode("arc");
  scene.show(telemetry);
}

link.addEventListener("state", ({ detail }) => {
  lost.heard(detail);
  wheel.show(detail, link);
  if (detail.telemetry) showTelemetry(detail, detail.telemetry);
  if (lost.isShown) look();
});
link.addEventListener("welcome", ({ detail }) => devices.show(detail.may_drive));
link.addEventListener("answer", ({ detail }) => {
  // The stop button sees to its own.
  if (detail.kind === "stop") return;
  if (!detail.accepted) showRefusals(detail.kind, detail.refusals);
  else setHidden(byId("refused"), true);
});
link.addEventListener("reason", ({ detail }) => {
  reason = detail.text;
  reasonUntilMs = performance.now() + REASON_SHOWN_MS;
  announce(reason);
});

onPress(byId("modes"), (target) => {
  if (target.dataset.mode) chooseMode(target.dataset.mode);
});
byId("limit").addEventListener("input", ({ target }) => {
  pilot.limit = Number(target.value);
  remember("limit", pilot.limit);
  showLimit();
});
onPress(byId("zoom-in"), () => scene.zoom(-1));
onPress(byId("zoom-out"), () => scene.zoom(1));
onPress(byId("refused-close"), () => setHidden(byId("refused"), true));
onPress(byId("notice"), () => openDetails(true));
onPress(byId("details-open"), () => {
  openDetails(!byId("details").classList.contains("open"));
  devices.show(link.mayDrive);
});
onPress(byId("details-close"), () => openDetails(false));
wide.addEventListener("change", arrangePads);

const limitInput = byId("limit");
limitInput.value = String(remembered("limit", 0.5));
pilot.limit = Number(limitInput.value);
showLimit();
chooseMode("arc");

// Whether the rover is in sight decides what may be touched.
function look() {
  const outOfSight = lost.update(link);
  document.body.classList.toggle("out-of-sight", outOfSight);
  pilot.enabled = !outOfSight && link.mayDrive;
  showLink(link.isOpen ? link.roundTripMs : null);
  if (outOfSight) {
    showState("unknown");
    action.show("unknown", link.mayDrive);
    state = "unknown";
  }
}

setInterval(look, LOOK_MS);

link.start();
