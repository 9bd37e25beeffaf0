// The colours of the picture; what they mean is always said by a shape or a number too.

export const palette = {
  grid: "rgba(148, 176, 194, 0.13)",
  gridStrong: "rgba(148, 176, 194, 0.26)",
  path: "#ffb347",
  label: "#c6d3dc",
  faint: "#7f95a3",
  body: "#e9eef1",
  bodyEdge: "#0a0d10",
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
};

export const FONT = '600 12px system-ui, "DejaVu Sans", sans-serif';
