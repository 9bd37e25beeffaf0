import assert from "node:assert/strict";
import { test } from "node:test";

import { ageText, takeApart } from "../../web/static/camera-picture.js";

test("a picture's message is a length, a head and the JPEG", () => {
  const head = new TextEncoder().encode(JSON.stringify({ number: 7, age_ms: 12.5 }));
  const message = new Uint8Array(2 + head.length + 3);
  new DataView(message.buffer).setUint16(0, head.length);
  message.set(head, 2);
  message.set([1, 2, 3], 2 + head.length);
  const apart = takeApart(message.buffer);
  assert.deepEqual(apart.head, { number: 7, age_ms: 12.5 });
  assert.deepEqual([...apart.jpeg], [1, 2, 3]);
});

test("an age is told once it matters", () => {
  assert.equal(ageText(0), "");
  assert.equal(ageText(499), "");
  assert.equal(ageText(2140), "picture 2.1 s old");
  assert.equal(ageText(30_000), "picture stands still");
});
