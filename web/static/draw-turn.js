// Where the rover turns: the centre, the circle, and every wheel's axle line to that centre.

import { turningCentre } from "./motion.js";
import { FONT, palette } from "./palette.js";

// A wider circle than this is all but straight on a screen.
const MAX_RADIUS_PX = 6000;

export function drawTurn(context, view, telemetry) {
  const centre = turningCentre(telemetry.governed) ?? turningCentre(telemetry.asked);
  if (centre === null) return;
  const { scale } = view;
  const x = -centre.y * scale;
  const y = -centre.x * scale;
  const radius = Math.abs(centre.y);
  if (radius * scale > MAX_RADIUS_PX) return;
  context.save();
  context.strokeStyle = palette.turn;
  context.globalAlpha = 0.4;
  context.lineWidth = 1;
  for (const wheel of telemetry.wheels) {
    context.beginPath();
    context.moveTo(-wheel.y_m * scale, -wheel.x_m * scale);
    context.lineTo(x, y);
    context.stroke();
  }
  context.globalAlpha = 0.9;
  context.lineWidth = 2;
  context.setLineDash([2, 7]);
  context.lineCap = "round";
  // Turning on the spot, the circle is the one that the outermost wheel rolls on.
  const circle = radius || Math.max(...telemetry.wheels.map((w) => Math.hypot(w.x_m, w.y_m)));
  context.beginPath();
  context.arc(x, y, circle * scale, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
  drawCentre(context, view, x, y, radius);
  context.restore();
}

function drawCentre(context, view, x, y, radius) {
  context.beginPath();
  context.arc(x, y, 5, 0, 2 * Math.PI);
  context.moveTo(x - 11, y);
  context.lineTo(x + 11, y);
  context.moveTo(x, y - 11);
  context.lineTo(x, y + 11);
  context.stroke();
  if (radius === 0) return;
  // The label stays within the stage when the centre is outside it.
  const half = view.box.width / 2 - 34;
  context.globalAlpha = 1;
  context.fillStyle = palette.turn;
  context.font = FONT;
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillText(`${radius.toFixed(2)} m`, Math.max(-half, Math.min(half, x)), y + 14);
}
