// What comes over the camera's WebSocket, taken apart. Knows no document.

const HEAD_BYTES = 2;

// Returns the head and the JPEG of a binary message: { head, jpeg }.
export function takeApart(buffer) {
  const length = new DataView(buffer).getUint16(0);
  const body = HEAD_BYTES + length;
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, HEAD_BYTES, length)));
  return { head, jpeg: new Uint8Array(buffer, body) };
}

// Says how old the picture is, or nothing while it is young enough not to matter.
export function ageText(ageMs) {
  if (ageMs < 500) return "";
  return ageMs < 10_000 ? `picture ${(ageMs / 1000).toFixed(1)} s old` : "picture stands still";
}
