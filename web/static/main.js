// Joins the page's parts: what comes in from the link goes to the views, what people do goes out.

import { ActionButton } from "./action.js";
import { Arrangement } from "./arrangement.js";
import { keepAwake } from "./awake.js";
import { choice, fullScreenButton, onOff } from "./choices.js";
import { openDetails, problems, showEvents, showFigures, showProblems, showWheels } from "./details.js";
import { DeviceList } from "./devices.js";
import { announce, byId, onPress, setHidden } from "./dom.js";
import { Gamepad } from "./gamepad.js";
import { Haptics } from "./haptics.js";
import { Keyboard } from "./keyboard.js";
import { Link } from "./link.js";
import { LostNotice } from "./lost.js";
import { moves } from "./motion.js";
import { Deafness, LET_GO } from "./neutral.js";
import { Notices } from "./notices.js";
import { Pilot } from "./pilot.js";
import { Plots } from "./plots.js";
import {
  showAsked, showBattery, showDriver, showLimits, showLink, showSpeed, showState,
} from "./readouts.js";
import { Scene } from "./scene.js";
import { SpeedLimit } from "./speed-limit.js";
import { Stick } from "./stick.js";
import { StopButton } from "./stop.js";
import { useTheme } from "./theme.js";
import { Track } from "./track.js";
import { keepShell, loadIfOld } from "./upkeep.js";
import { Wheel } from "./wheel.js";

const LOOK_MS = 100;

const link = new Link();
const sticks = [new Stick(byId("pad-left")), new Stick(byId("pad-right"))];
const gamepad = new Gamepad();
const pilot = new Pilot(link, [...sticks, new Keyboard(), gamepad]);
const arrangement = new Arrangement(sticks, () => pilot.release());
const scene = new Scene(byId("scene"), byId("view"), new Track());
const plots = new Plots();
const lost = new LostNotice();
const devices = new DeviceList();
const wheel = new Wheel(link, pilot);
const notices = new Notices();
const haptics = new Haptics(gamepad);
const deafness = new Deafness();
const stop = new StopButton(link, () => {
  pilot.release();
  haptics.feel("stop");
});
const action = new ActionButton((kind, seen) => {
  pilot.release();
  link.request(kind, seen);
});
const speedLimit = new SpeedLimit((part) => {
  pilot.limit = part;
});

let state = "unknown";
// The last that was seen, whatever became of the link since.
let seen = "unknown";

function chooseMode(mode) {
  pilot.mode = mode;
  arrangement.mode = mode;
  for (const button of byId("modes").children) {
    button.setAttribute("aria-checked", String(button.dataset.mode === mode));
  }
  arrangement.show();
}

// The next mode that this rover has.
function nextMode() {
  const modes = [...byId("modes").children].filter((button) => !button.hidden);
  const now = modes.findIndex((button) => button.dataset.mode === pilot.mode);
  const next = modes[(now + 1) % modes.length];
  chooseMode(next.dataset.mode);
  announce(next.textContent);
}

function changeState(now) {
  const isNews = state !== "unknown" && state !== now;
  if (isNews && (now === "fault" || now === "estop")) haptics.feel("fault");
  state = now;
  // A rover that is as it was before the link was lost refuses what it refused.
  if (now !== seen) notices.closeRefusals();
  seen = now;
}

let camera = null;

// Rovers without a camera do without its module and its style sheet.
async function showCamera(isThere) {
  if (isThere && camera === null) {
    camera = import("./camera.js").then(({ Camera }) => new Camera((text) => notices.tell(text)));
  }
  if (camera !== null) (await camera).isThere = isThere;
}

function showTelemetry(frame, telemetry) {
  if (state !== telemetry.state) changeState(telemetry.state);
  speedLimit.maxSpeedMps = telemetry.max_speed_mps;
  const found = problems(telemetry);
  showState(telemetry.state);
  action.show(telemetry.state, link.mayDrive);
  showBattery(telemetry.power);
  showSpeed(telemetry.twist);
  showAsked(telemetry.asked);
  showDriver(frame, telemetry.source);
  showLimits(telemetry.limited_by, moves(telemetry.asked));
  showProblems(found);
  notices.show(found, telemetry.state);
  showWheels(telemetry.wheels);
  showEvents(telemetry);
  showFigures(telemetry, link, frame);
  byId("name").textContent = telemetry.rover;
  setHidden(byId("modes").querySelector("[data-mode=crab]"), !telemetry.can_crab);
  if (!telemetry.can_crab && pilot.mode === "crab") chooseMode("arc");
  scene.show(telemetry);
  plots.hear(telemetry, link.roundTripMs);
  keepAwake(telemetry.state === "armed" || telemetry.state === "maintenance");
  gamepad.yields = telemetry.source === "gamepad";
  if (isUnheard(frame, telemetry)) pilot.release();
}

// Whether control does not follow what is pushed here: it waits for neutral, after a failsafe
// of its own say.
function isUnheard(frame, telemetry) {
  const { forward, left } = pilot.position;
  const pushing = Math.abs(forward) > 0.5 || Math.abs(left) > 0.5;
  const { source } = telemetry;
  return deafness.heard({ pushing, state: telemetry.state, source, yours: frame.you_drive }, performance.now());
}

link.addEventListener("state", ({ detail }) => {
  lost.heard(detail);
  showCamera(detail.camera === true);
  wheel.show(detail, link);
  if (detail.telemetry) showTelemetry(detail, detail.telemetry);
  if (lost.isShown) look();
});
link.addEventListener("welcome", ({ detail }) => devices.show(detail.may_drive));
// The server has been gone, and another one may have come.
link.addEventListener("close", () => link.addEventListener("open", loadIfOld, { once: true }));
link.addEventListener("answer", ({ detail }) => {
  // The stop button sees to its own.
  if (detail.kind === "stop") return;
  if (detail.accepted) notices.closeRefusals();
  else notices.refuse(detail.kind, detail.refusals);
});
link.addEventListener("reason", ({ detail }) => {
  // What is held goes nowhere, and shall not begin to by itself.
  if (detail.code === "not-driving") pilot.release();
  notices.tell(detail.text);
});
gamepad.addEventListener("stop", () => stop.press());
gamepad.addEventListener("mode", nextMode);
gamepad.addEventListener("gear", () => speedLimit.shift());
gamepad.addEventListener("gone", () => pilot.halt("cancelled"));
gamepad.addEventListener("note", ({ detail }) => notices.tell(detail));

onPress(byId("modes"), (target) => {
  if (target.dataset.mode) chooseMode(target.dataset.mode);
});
onPress(byId("zoom-in"), () => scene.zoom(-1));
onPress(byId("zoom-out"), () => scene.zoom(1));
onPress(byId("notice"), () => openDetails(true));
onPress(byId("details-open"), () => {
  openDetails(!byId("details").classList.contains("open"));
  devices.show(link.mayDrive);
});
onPress(byId("details-close"), () => openDetails(false));

choice("theme", "auto", useTheme);
choice("thumbs", "auto", (thumbs) => {
  arrangement.thumbs = thumbs;
  arrangement.show();
});
choice("hand", "right", (hand) => {
  arrangement.hand = hand;
  arrangement.show();
});
onOff("vibration", (wanted) => {
  haptics.wanted = wanted;
});
onOff("gamepad", (wanted) => {
  gamepad.wanted = wanted;
});
fullScreenButton();
chooseMode("arc");

// Whether the rover is in sight decides what may be touched.
function look() {
  const outOfSight = lost.update(link);
  document.body.classList.toggle("out-of-sight", outOfSight);
  byId("strip").inert = outOfSight;
  pilot.enabled = !outOfSight && link.mayDrive;
  showLink(link.isOpen ? link.roundTripMs : null, link.tripAgeMs);
  notices.wait(pilot.stale ? gamepad.waiting || LET_GO : "");
  if (outOfSight) {
    showState("unknown");
    action.show("unknown", link.mayDrive);
    state = "unknown";
    keepAwake(false);
  }
}

setInterval(look, LOOK_MS);

link.start();
addEventListener("load", keepShell);
