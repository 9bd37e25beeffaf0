// The stop of the small pages: anybody may.

const said = document.getElementById("stopped");

const stop = document.getElementById("stop");

stop.addEventListener("click", async () => {
  said.textContent = "Stopping ...";
  try {
    const body = JSON.stringify({ who: stop.dataset.who });
    const response = await fetch("/api/stop", { method: "POST", body });
    const answer = await response.json();
    said.textContent = answer.accepted ? "Stopped." : `NOT STOPPED: ${answer.error ?? answer.refusals.join("; ")}`;
  } catch {
    said.textContent = "NOT STOPPED: use the switch on the rover";
  }
});
