// Asking for the wheel, and giving it to who asks.

import { byId, onPress, setHidden, setText } from "./dom.js";

export class Wheel {
  #asker = "";

  constructor(link, pilot) {
    onPress(byId("give"), () => {
      pilot.release();
      link.send({ type: "give" });
    });
    onPress(byId("ask"), () => link.send({ type: "ask" }));
    onPress(byId("asked-give"), () => {
      pilot.release();
      link.send({ type: "give", to: this.#asker });
    });
    onPress(byId("asked-keep"), () => link.send({ type: "keep", to: this.#asker }));
  }

  // Shows the buttons that fit who has the wheel and who asks for it.
  show(frame, link) {
    const asking = frame.asking ?? [];
    this.#asker = frame.you_drive && asking.length > 0 ? asking[0] : "";
    setHidden(byId("asked"), this.#asker === "");
    if (this.#asker) setText(byId("asked-title"), `${this.#asker} asks for the wheel`);
    const mayAsk = link.mayDrive && frame.driver !== "" && !frame.you_drive;
    setHidden(byId("ask"), !mayAsk);
    const waits = asking.includes(link.client);
    setText(byId("ask"), waits ? "Asked, waiting" : "Ask for it");
    byId("ask").disabled = waits;
  }
}
