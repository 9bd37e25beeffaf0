// The panel with everything else: what stands against arming, wheels, events, figures.

import { byId, make, setHidden, setText } from "./dom.js";
import { degrees } from "./motion.js";

const MAX_EVENTS = 40;
const MARKS = { info: "i", warning: "!", error: "!!" };

let seenEvent = 0;
let eventsFrom = null;

export function openDetails(open) {
  byId("details").classList.toggle("open", open);
  byId("details-open").setAttribute("aria-expanded", String(open));
  if (open) byId("details-close").focus({ preventScroll: true });
}

// All that is not as it must be: conditions, and refusals that no condition explains.
export function problems(telemetry) {
  const texts = new Set(telemetry.conditions.map((condition) => condition.text));
  const refusals = telemetry.state === "armed" ? [] : telemetry.refusals;
  return [
    ...telemetry.conditions,
    ...refusals
      .filter((text) => !texts.has(text))
      .map((text) => ({ code: "refusal", text, severity: "error" })),
  ];
}

export function showProblems(found) {
  const badge = byId("details-count");
  setHidden(badge, found.length === 0);
  setText(badge, String(found.length));
  const list = byId("conditions");
  const key = JSON.stringify(found);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(
    ...(found.length === 0
      ? [make("li", "fine", "Nothing stands against arming.")]
      : found.map(({ text, severity }) => item(text, severity))),
  );
}

function item(text, severity) {
  const element = make("li", severity);
  const mark = make("b", "mark", MARKS[severity]);
  mark.setAttribute("aria-label", severity);
  element.append(mark, make("span", "", text));
  return element;
}

export function showEvents(telemetry) {
  const list = byId("events");
  const newest = telemetry.events.at(-1)?.number ?? 0;
  // Control was restarted: its events count from 1 again.
  if (newest < seenEvent) seenEvent = 0;
  for (const event of telemetry.events) {
    if (event.number <= seenEvent) continue;
    seenEvent = event.number;
    list.prepend(eventItem(event, telemetry.stamp_s - event.stamp_s));
  }
  while (list.childElementCount > MAX_EVENTS) list.lastElementChild.remove();
  const second = Math.floor(telemetry.stamp_s);
  if (second === eventsFrom && newest === Number(list.dataset.newest)) return;
  eventsFrom = second;
  list.dataset.newest = newest;
  for (const element of list.children) {
    const since = element.querySelector(".ago");
    setText(since, ago(telemetry.stamp_s - Number(element.dataset.stamp)));
  }
}

// What happened, what to do about it, and when: by this page's clock, for the rover's counts
// from when it was switched on.
function eventItem(event, ageS) {
  const element = item(event.text, event.severity);
  element.dataset.stamp = event.stamp_s;
  if (event.advice) element.querySelector("span").append(make("em", "advice", event.advice));
  const happened = new Date(Date.now() - 1000 * ageS);
  const time = make("time", "", clock(happened));
  time.dateTime = happened.toISOString();
  time.append(make("span", "ago"));
  element.append(time);
  return element;
}

function clock(date) {
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

function ago(seconds) {
  if (seconds < 2) return "now";
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return `${Math.round(seconds / 3600)} h ago`;
}

export function showWheels(wheels) {
  const body = byId("wheels");
  if (body.childElementCount !== wheels.length) {
    body.replaceChildren(
      ...wheels.map(() => {
        const row = make("tr");
        row.append(make("th"), make("td"), make("td"), make("td"), make("td"));
        row.firstChild.scope = "row";
        return row;
      }),
    );
  }
  wheels.forEach((wheel, i) => {
    const metres = (radS) => (radS === null ? "?" : (radS * wheel.radius_m).toFixed(2));
    const texts = [
      wheel.name.replace("_", " "),
      `${degrees(wheel.steer_rad).toFixed(0)}°`,
      metres(wheel.asked_rad_s),
      metres(wheel.speed_rad_s),
      wheel.current_a === null ? "?" : wheel.current_a.toFixed(1),
    ];
    texts.forEach((text, column) => setText(body.children[i].children[column], text));
  });
}

function padText({ name, slow, trim_per_m: trim, lent_to: lentTo }) {
  if (lentTo) return `calibrated by ${lentTo}`;
  if (!name) return "none";
  const said = [name];
  if (slow) said.push("slowly");
  if (trim !== 0) said.push(`trimmed ${Math.abs(trim).toFixed(2)} 1/m to the ${trim > 0 ? "left" : "right"}`);
  return said.join(", ");
}

export function showFigures(telemetry, link, frame) {
  const rows = {
    "Round trip": link.roundTripMs === null ? "?" : `${link.roundTripMs.toFixed(0)} ms`,
    "Telemetry age": frame.age_ms === null ? "?" : `${frame.age_ms.toFixed(0)} ms`,
    "Command age": telemetry.command_age_s === null ? "none" : `${(telemetry.command_age_s * 1000).toFixed(0)} ms`,
    "Control tick": `${telemetry.tick_ms.toFixed(2)} ms`,
    "Missed ticks": String(telemetry.missed_ticks),
    Position: `${telemetry.pose.x_m.toFixed(2)}, ${telemetry.pose.y_m.toFixed(2)} m`,
    Heading: `${degrees(telemetry.pose.yaw_rad).toFixed(0)}°`,
    Gamepad: padText(telemetry.gamepad),
    "This page": link.client,
  };
  const list = byId("figures");
  if (list.childElementCount === 0) {
    for (const name of Object.keys(rows)) list.append(make("dt", "", name), make("dd"));
  }
  Object.values(rows).forEach((text, i) => setText(list.children[2 * i + 1], text));
}
