// The pairing page's stop: anybody may.

const said = document.getElementById("stopped");

document.getElementById("stop").addEventListener("click", async () => {
  said.textContent = "Stopping ...";
  try {
    const response = await fetch("/api/stop", { method: "POST", body: '{"who":"the pairing page"}' });
    const answer = await response.json();
    said.textContent = answer.accepted ? "Stopped." : `NOT STOPPED: ${answer.error ?? answer.refusals.join("; ")}`;
  } catch {
    said.textContent = "NOT STOPPED: use the switch on the rover";
  }
});
