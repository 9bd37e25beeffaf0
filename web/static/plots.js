// The last minute as curves, on canvases of our own; drawn only while somebody can see them.

import { byId, setText } from "./dom.js";
import { FONT, palette } from "./palette.js";
import { axis, Ring } from "./ring.js";

const SHOWN_S = 60;
const SAMPLE_S = 0.1;
const DRAW_MS = 250;
const MARGIN = { left: 42, right: 6, top: 8, bottom: 8 };

// Which series a plot has and how wide its axis is at least. Series after the first are dashed.
const PLOTS = [
  { id: "speed", series: [0, 1], span: 0.2, zero: true, unit: "m/s", places: 2 },
  { id: "current", series: [2], span: 1, zero: true, unit: "A", places: 1 },
  { id: "voltage", series: [3], span: 0.5, zero: false, unit: "V", places: 1 },
  { id: "latency", series: [4], span: 50, zero: true, unit: "ms", places: 0 },
];

export class Plots {
  #ring = new Ring(SHOWN_S / SAMPLE_S, 5);
  #newestS = -Infinity;
  #values = [];
  #visible = new Set();

  constructor() {
    const seen = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        if (isIntersecting) this.#visible.add(target.id);
        else this.#visible.delete(target.id);
      }
      this.#draw();
    });
    for (const { id } of PLOTS) seen.observe(byId(`plot-${id}`));
    setInterval(() => this.#draw(), DRAW_MS);
    document.addEventListener("themechange", () => this.#draw());
  }

  hear(telemetry, roundTripMs) {
    const { stamp_s: stampS, asked, twist, power } = telemetry;
    // A control that was started anew counts from another time.
    if (stampS >= this.#newestS && stampS - this.#newestS < SAMPLE_S) return;
    this.#newestS = stampS;
    this.#values = [
      asked.speed_mps ?? 0,
      twist === null ? null : twist.vx_mps,
      power?.current_a,
      power?.voltage_v,
      roundTripMs,
    ];
    this.#ring.add(stampS, this.#values);
  }

  #draw() {
    if (document.hidden) return;
    for (const plot of PLOTS) {
      if (!this.#visible.has(`plot-${plot.id}`)) continue;
      drawPlot(byId(`plot-${plot.id}`), this.#ring, this.#newestS, plot);
      const texts = plot.series.map((i) => this.#values[i]?.toFixed(plot.places) ?? "?");
      setText(byId(`plot-${plot.id}-text`), `${texts.join(" / ")} ${plot.unit}`);
    }
  }
}

function drawPlot(canvas, ring, newestS, plot) {
  const ratio = Math.min(devicePixelRatio || 1, 3);
  const { clientWidth: width, clientHeight: height } = canvas;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const fromS = newestS - SHOWN_S;
  const { least, most } = axis(ring.range(plot.series, fromS), plot);
  const x = (timeS) => MARGIN.left + ((timeS - fromS) / SHOWN_S) * (width - MARGIN.left - MARGIN.right);
  const y = (value) => MARGIN.top + ((most - value) / (most - least)) * (height - MARGIN.top - MARGIN.bottom);
  drawAxis(context, { x, y, fromS, least, most, places: plot.places });
  // The dashed line lies under the full one.
  for (const [i, series] of [...plot.series.entries()].reverse()) {
    context.strokeStyle = palette.plot[plot.series.length > 1 ? 1 - i : 0];
    context.lineWidth = 2;
    context.setLineDash(i === 0 && plot.series.length > 1 ? [5, 4] : []);
    context.beginPath();
    let isDown = false;
    ring.walk(series, fromS, (timeS, value) => {
      if (Number.isNaN(value)) isDown = false;
      else if (isDown) context.lineTo(x(timeS), y(value));
      else {
        context.moveTo(x(timeS), y(value));
        isDown = true;
      }
    });
    context.stroke();
  }
  context.setLineDash([]);
}

function drawAxis(context, { x, y, fromS, least, most, places }) {
  context.font = FONT.replace("12px", "11px");
  context.fillStyle = palette.faint;
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.lineWidth = 1;
  for (const value of [least, (least + most) / 2, most]) {
    context.strokeStyle = palette.gridStrong;
    context.beginPath();
    context.moveTo(x(fromS), y(value));
    context.lineTo(x(fromS + SHOWN_S), y(value));
    context.stroke();
    if (value !== (least + most) / 2) context.fillText(value.toFixed(places), MARGIN.left - 6, y(value));
  }
}
