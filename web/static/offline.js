// Looks for the rover until it answers, then opens the remote.

const LOOK_MS = 2000;

async function look() {
  try {
    const response = await fetch("/healthz", { cache: "no-store" });
    if (response.ok) location.reload();
  } catch {
    // Not yet.
  }
}

setInterval(look, LOOK_MS);
addEventListener("online", look);
