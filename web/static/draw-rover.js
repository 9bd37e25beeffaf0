// The rover from above: body, rocker-bogie frame, and each wheel where it is, at its angle,
// with an arrow for the speed it was asked for (outline) and the one measured (filled).

import { degrees } from "./motion.js";
import { FONT, palette } from "./palette.js";

// An arrow at full speed, in metres; a tyre's width, as a part of its diameter.
const ARROW_M = 0.2;
const TYRE_WIDTH = 0.62;
const TREAD_M = 0.028;
const STILL_MPS = 0.005;
// A current that stalls a motor fills its tyre; from this part of it on the filling is hatched.
const STALL_A = Number(document.body.dataset.stallCurrentA);
const HATCHED = 0.67;

export function drawRover(context, view, telemetry, rolled) {
  const { scale } = view;
  const { wheels } = telemetry;
  drawFrame(context, scale, wheels);
  wheels.forEach((wheel, i) => drawTyre(context, scale, wheel, rolled[i]));
  drawBody(context, scale, wheels);
  for (const wheel of wheels) drawArrows(context, scale, wheel, telemetry.max_speed_mps);
  if (view.hasNumbers) for (const wheel of wheels) drawNumbers(context, view, wheel);
}

// Beams from the front wheel to the rear one on each side, with the axle across the body.
function drawFrame(context, scale, wheels) {
  context.strokeStyle = palette.frame;
  context.lineWidth = Math.max(2, 0.022 * scale);
  context.lineJoin = "round";
  context.lineCap = "round";
  const inset = bodyHalfWidth(wheels) + 0.026;
  for (const side of [1, -1]) {
    const own = wheels.filter((wheel) => Math.sign(wheel.y_m) === side);
    own.sort((a, b) => b.x_m - a.x_m);
    context.beginPath();
    own.forEach((wheel, i) => {
      const to = [-side * inset * scale, -wheel.x_m * scale];
      if (i === 0) context.moveTo(...to);
      else context.lineTo(...to);
    });
    context.stroke();
    for (const wheel of own) {
      context.beginPath();
      context.moveTo(-side * inset * scale, -wheel.x_m * scale);
      context.lineTo(-wheel.y_m * scale, -wheel.x_m * scale);
      context.stroke();
    }
  }
  context.beginPath();
  context.moveTo(-inset * scale, 0);
  context.lineTo(inset * scale, 0);
  context.stroke();
}

function bodyHalfWidth(wheels) {
  return Math.min(...wheels.map((wheel) => Math.abs(wheel.y_m) - wheel.radius_m * TYRE_WIDTH)) * 0.8;
}

function drawBody(context, scale, wheels) {
  const halfWidth = bodyHalfWidth(wheels) * scale;
  const front = Math.max(...wheels.map((wheel) => wheel.x_m)) * 0.72 * scale;
  const rear = Math.min(...wheels.map((wheel) => wheel.x_m)) * 0.72 * scale;
  context.fillStyle = palette.body;
  context.strokeStyle = palette.bodyEdge;
  context.lineWidth = 2;
  context.beginPath();
  context.roundRect(-halfWidth, -front, 2 * halfWidth, front - rear, 0.03 * scale);
  context.fill();
  context.stroke();
  // Deck plates, then the nose that says which way is forward.
  context.strokeStyle = palette.plate;
  context.lineWidth = 1;
  for (const part of [0.34, 0.56, 0.78]) {
    const y = -front + (front - rear) * part;
    context.beginPath();
    context.moveTo(-halfWidth, y);
    context.lineTo(halfWidth, y);
    context.stroke();
  }
  const nose = Math.min(halfWidth * 0.62, 0.07 * scale);
  context.fillStyle = palette.nose;
  context.beginPath();
  context.moveTo(0, -front + 0.02 * scale);
  context.lineTo(nose, -front + 0.02 * scale + nose * 1.25);
  context.lineTo(-nose, -front + 0.02 * scale + nose * 1.25);
  context.closePath();
  context.fill();
}

function atWheel(context, scale, wheel, draw) {
  context.save();
  context.translate(-wheel.y_m * scale, -wheel.x_m * scale);
  // Counter-clockwise is positive in the rover's frame, clockwise on a canvas.
  context.rotate(-wheel.steer_rad);
  draw();
  context.restore();
}

function drawTyre(context, scale, wheel, rolled) {
  atWheel(context, scale, wheel, () => {
    const half = wheel.radius_m * scale;
    const halfWidth = half * TYRE_WIDTH;
    context.fillStyle = palette.tyre;
    context.beginPath();
    context.roundRect(-halfWidth, -half, 2 * halfWidth, 2 * half, half * 0.3);
    context.fill();
    context.save();
    context.clip();
    fillWithCurrent(context, wheel, half, halfWidth);
    context.strokeStyle = palette.tread;
    context.lineWidth = Math.max(1, 0.007 * scale);
    context.beginPath();
    const phase = ((rolled % TREAD_M) + TREAD_M) % TREAD_M;
    for (let at = -wheel.radius_m - phase; at < wheel.radius_m + TREAD_M; at += TREAD_M) {
      context.moveTo(-halfWidth, -at * scale);
      context.lineTo(0, (-at - TREAD_M * 0.35) * scale);
      context.lineTo(halfWidth, -at * scale);
    }
    context.stroke();
    context.restore();
    context.strokeStyle = wheel.speed_rad_s === null ? palette.unknown : palette.tyreEdge;
    context.lineWidth = 1.5;
    if (wheel.speed_rad_s === null) context.setLineDash([4, 4]);
    context.beginPath();
    context.roundRect(-halfWidth, -half, 2 * halfWidth, 2 * half, half * 0.3);
    context.stroke();
  });
}

// The current as a level in the tyre: how high and which colour say the same, and a number
// beside the wheel says it too.
function fillWithCurrent(context, wheel, half, halfWidth) {
  if (wheel.current_a === null) return;
  const part = Math.min(1, Math.abs(wheel.current_a) / STALL_A);
  const colours = palette.currents;
  context.fillStyle = colours[Math.min(colours.length - 1, Math.floor(part * colours.length))];
  context.fillRect(-halfWidth, half - 2 * half * part, 2 * halfWidth, 2 * half * part);
  if (part < HATCHED) return;
  context.strokeStyle = palette.halo;
  context.lineWidth = 2;
  context.beginPath();
  for (let at = -half; at < half + 2 * halfWidth; at += 7) {
    context.moveTo(-halfWidth, at);
    context.lineTo(halfWidth, at - 2 * halfWidth);
  }
  context.stroke();
}

function drawArrows(context, scale, wheel, maxSpeedMps) {
  const length = (radS) => ((radS * wheel.radius_m) / maxSpeedMps) * ARROW_M * scale;
  atWheel(context, scale, wheel, () => {
    const width = wheel.radius_m * scale * 0.36;
    if (wheel.speed_rad_s !== null && Math.abs(wheel.speed_rad_s * wheel.radius_m) > STILL_MPS) {
      context.fillStyle = wheel.speed_rad_s > 0 ? palette.forward : palette.reverse;
      arrow(context, length(wheel.speed_rad_s), width);
      context.fill();
    }
    if (Math.abs(wheel.asked_rad_s * wheel.radius_m) > STILL_MPS) {
      context.strokeStyle = palette.asked;
      context.lineWidth = 1.5;
      arrow(context, length(wheel.asked_rad_s), width + 3);
      context.stroke();
    }
  });
}

// An arrow from the middle of a wheel along its rolling direction, `length` pixels forward.
function arrow(context, length, width) {
  const sign = Math.sign(length);
  const head = Math.min(Math.abs(length), width * 1.3) * sign;
  const neck = -(length - head);
  context.beginPath();
  context.moveTo(-width / 2, 0);
  context.lineTo(-width / 2, neck);
  context.lineTo(-width, neck);
  context.lineTo(0, -length);
  context.lineTo(width, neck);
  context.lineTo(width / 2, neck);
  context.lineTo(width / 2, 0);
  context.closePath();
}

function drawNumbers(context, view, wheel) {
  const { scale } = view;
  const side = wheel.y_m > 0 ? -1 : 1;
  const x = -wheel.y_m * scale + side * (wheel.radius_m * scale * 1.3 + 6);
  const y = -wheel.x_m * scale;
  context.font = FONT;
  context.textBaseline = "middle";
  context.textAlign = side > 0 ? "left" : "right";
  const known = wheel.speed_rad_s !== null;
  const angle = Math.round(degrees(wheel.steer_rad));
  const lines = [[known ? `${(wheel.speed_rad_s * wheel.radius_m).toFixed(2)} m/s` : "no reading", known ? palette.label : palette.unknown]];
  if (wheel.current_a !== null) lines.push([`${wheel.current_a.toFixed(1)} A`, palette.label]);
  if (angle !== 0) lines.push([`${Math.abs(angle)}° ${angle > 0 ? "left" : "right"}`, palette.faint]);
  context.strokeStyle = palette.halo;
  context.lineWidth = 3;
  context.lineJoin = "round";
  lines.forEach(([text, colour], i) => {
    const at = y + (i - (lines.length - 1) / 2) * 15;
    context.strokeText(text, x, at);
    context.fillStyle = colour;
    context.fillText(text, x, at);
  });
}
