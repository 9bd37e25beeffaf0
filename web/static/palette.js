// The colours of the picture; what they mean is always said by a shape or a number too.

const DARK = {
  grid: "rgba(148, 176, 194, 0.13)",
  gridStrong: "rgba(148, 176, 194, 0.26)",
  path: "#ffb347",
  pathGlow: "rgba(255, 179, 71, 0.2)",
  label: "#c6d3dc",
  faint: "#9fb2be",
  halo: "#0a0d10",
  body: "#e9eef1",
  bodyEdge: "#0a0d10",
  plate: "rgba(10, 13, 16, 0.25)",
  frame: "#8fa3b0",
  nose: "#ff6b35",
  tyre: "#232c33",
  tyreEdge: "#93a7b4",
  tread: "#4a5862",
  forward: "#4cc9ff",
  reverse: "#ffb347",
  asked: "#ffffff",
  turn: "#b8f26b",
  unknown: "#ff7b8a",
  currents: ["#2f6f57", "#7a8a1f", "#b8741a", "#c8323f"],
  plot: ["#4cc9ff", "#ffb347", "#b8f26b", "#ff7b8a"],
};

// For the sun: dark on white, nothing faint.
const LIGHT = {
  grid: "rgba(30, 60, 80, 0.16)",
  gridStrong: "rgba(30, 60, 80, 0.34)",
  path: "#b35900",
  pathGlow: "rgba(179, 89, 0, 0.2)",
  label: "#16232c",
  faint: "#44545f",
  halo: "#f4f7f9",
  body: "#1d2a33",
  bodyEdge: "#ffffff",
  plate: "rgba(255, 255, 255, 0.25)",
  frame: "#4c5f6c",
  nose: "#ff7a3d",
  tyre: "#cfd8de",
  tyreEdge: "#2b3a45",
  tread: "#8fa0ab",
  forward: "#006ec2",
  reverse: "#b35900",
  asked: "#0b1116",
  turn: "#2f6b00",
  unknown: "#b3001b",
  currents: ["#a5dcc0", "#dfe070", "#f5b45c", "#ee6a72"],
  plot: ["#006ec2", "#b35900", "#2f6b00", "#b3001b"],
};

export const palette = { ...DARK };

export function usePalette(theme) {
  Object.assign(palette, theme === "light" ? LIGHT : DARK);
}

export const FONT = '600 12px system-ui, "DejaVu Sans", sans-serif';
