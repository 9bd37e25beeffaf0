// The ground: a grid of the world, where the rover started, the path it drove, a scale bar, the heading.

import { degrees } from "./motion.js";
import { FONT, palette } from "./palette.js";

const GRID_PX = 46;
const BAR_PX = 90;
const DIAL_PX = 15;
const STEPS_M = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];

export function drawGround(context, view, pose, points) {
  const cos = Math.cos(pose.yaw_rad);
  const sin = Math.sin(pose.yaw_rad);
  const { scale } = view;
  // World metres to the screen, with the rover in the middle pointing up.
  const place = (x, y) => {
    const dx = x - pose.x_m;
    const dy = y - pose.y_m;
    return [view.x - (dy * cos - dx * sin) * scale, view.y - (dx * cos + dy * sin) * scale];
  };
  drawGrid(context, view, pose, place);
  drawPath(context, points, pose, place);
  drawStart(context, place);
  drawScaleBar(context, view);
  drawHeading(context, view, pose.yaw_rad);
}

function drawGrid(context, view, pose, place) {
  const step = STEPS_M.find((metres) => metres * view.scale >= GRID_PX) ?? 50;
  const reach = Math.hypot(innerWidth, innerHeight) / view.scale / 2 + step * 4;
  const first = (centre) => Math.floor((centre - reach) / step);
  const last = (centre) => Math.ceil((centre + reach) / step);
  context.lineWidth = 1;
  for (const [from, to, line] of [
    [first(pose.x_m), last(pose.x_m), (i) => [place(i * step, pose.y_m - reach), place(i * step, pose.y_m + reach)]],
    [first(pose.y_m), last(pose.y_m), (i) => [place(pose.x_m - reach, i * step), place(pose.x_m + reach, i * step)]],
  ]) {
    for (let i = from; i <= to; i += 1) {
      const [a, b] = line(i);
      context.strokeStyle = i % 5 === 0 ? palette.gridStrong : palette.grid;
      context.beginPath();
      context.moveTo(...a);
      context.lineTo(...b);
      context.stroke();
    }
  }
}

function drawPath(context, points, pose, place) {
  if (points.length === 0) return;
  context.beginPath();
  for (const point of points) {
    if (point.gap) context.moveTo(...place(point.x, point.y));
    else context.lineTo(...place(point.x, point.y));
  }
  context.lineTo(...place(pose.x_m, pose.y_m));
  context.lineJoin = "round";
  context.strokeStyle = palette.pathGlow;
  context.lineWidth = 9;
  context.stroke();
  context.strokeStyle = palette.path;
  context.lineWidth = 2.5;
  context.stroke();
}

function drawStart(context, place) {
  const [x, y] = place(0, 0);
  context.strokeStyle = palette.path;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(x, y, 6, 0, 2 * Math.PI);
  context.moveTo(x - 10, y);
  context.lineTo(x + 10, y);
  context.moveTo(x, y - 10);
  context.lineTo(x, y + 10);
  context.stroke();
}

function drawScaleBar(context, view) {
  const metres = STEPS_M.findLast((step) => step * view.scale <= BAR_PX) ?? STEPS_M[0];
  const width = metres * view.scale;
  const x = view.box.left + 14;
  const y = view.box.bottom - 12;
  context.strokeStyle = palette.label;
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, y - 6);
  context.lineTo(x, y);
  context.lineTo(x + width, y);
  context.lineTo(x + width, y - 6);
  context.stroke();
  context.fillStyle = palette.label;
  context.font = FONT;
  context.textAlign = "left";
  context.textBaseline = "bottom";
  context.fillText(metres < 1 ? `${Math.round(metres * 100)} cm` : `${metres} m`, x + 4, y - 5);
}

// A needle to where the rover pointed when it started, and how far it has turned from there.
function drawHeading(context, view, yawRad) {
  const x = view.box.right - 26;
  const y = view.box.bottom - 26;
  context.strokeStyle = palette.label;
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(x, y, DIAL_PX, 0, 2 * Math.PI);
  context.stroke();
  context.save();
  context.translate(x, y);
  // The picture's up is where it points now.
  context.rotate(yawRad);
  context.fillStyle = palette.nose;
  context.beginPath();
  context.moveTo(0, 3 - DIAL_PX);
  context.lineTo(5, 5);
  context.lineTo(0, 2);
  context.lineTo(-5, 5);
  context.closePath();
  context.fill();
  context.restore();
  const turned = Math.round(degrees(Math.atan2(Math.sin(yawRad), Math.cos(yawRad))));
  context.fillStyle = palette.label;
  context.font = FONT;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const text = turned === 0 ? "0°" : `${Math.abs(turned)}° ${turned > 0 ? "left" : "right"}`;
  context.fillText(text, x - DIAL_PX - 6, y);
}
