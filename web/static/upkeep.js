// Keeps the page as new as its rover, and what it needs to open on the phone.

const VERSION = document.body.dataset.version;
const TRIED = "rover.loaded-for";

// Where browsers allow it, over https and on localhost: the page can be installed, and opens
// without a rover to say that there is none.
export function keepShell() {
  navigator.serviceWorker?.register("/static/worker", { scope: "/" }).catch(() => {
    // A browser that keeps nothing, in a private window say: the page works without.
  });
}

// A page that was open while the rover's software was replaced loads the new one, once.
export async function loadIfOld() {
  try {
    const response = await fetch("/static/shell", { cache: "no-store" });
    const { version } = await response.json();
    if (version === VERSION || sessionStorage.getItem(TRIED) === version) return;
    sessionStorage.setItem(TRIED, version);
    location.reload();
  } catch {
    // The link has gone again: asked once more when it is back.
  }
}
