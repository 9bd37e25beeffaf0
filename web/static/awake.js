// Keeps the screen on while the rover is armed. Browsers allow it over https and on localhost
// alone; elsewhere the screen goes dark as usual, the page is hidden, and the rover stops.

let wanted = false;
let lock = null;
let asking = false;

async function update() {
  if (asking || !navigator.wakeLock) return;
  if (!wanted) {
    const old = lock;
    lock = null;
    await old?.release();
    return;
  }
  if (lock !== null || document.hidden) return;
  asking = true;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => {
      lock = null;
    });
  } catch {
    // A phone that saves power refuses: the screen goes dark as usual.
  } finally {
    asking = false;
  }
  if (!wanted) update();
}

export function keepAwake(armed) {
  if (armed === wanted) return;
  wanted = armed;
  update();
}

document.addEventListener("visibilitychange", update);
