// How long the link takes, and how old that knowledge is.

const GOOD_MS = 60;
const FAIR_MS = 150;
// A figure that is older than this is told with its age.
const OLD_MS = 1500;

// The page's clock, less what it was when it last spoke and how long the server held that.
export function roundTripMs(nowMs, spokeMs, heldMs) {
  return Math.max(0, nowMs - spokeMs - heldMs);
}

// A round trip in milliseconds, and how long ago it was taken; null for none.
export function describe(tripMs, ageMs) {
  if (tripMs === null) return { level: "unknown", text: "none", word: "" };
  const level = tripMs <= GOOD_MS ? "good" : tripMs <= FAIR_MS ? "fair" : "bad";
  const word = { good: "", fair: " slow", bad: " too slow" }[level];
  if (ageMs > OLD_MS) return { level: "bad", text: `${Math.round(tripMs)} ms`, word: ` ${Math.round(ageMs / 1000)} s ago` };
  return { level, text: `${Math.round(tripMs)} ms`, word };
}
