// The list of paired devices, each with a button that ends its pairing.

import { byId, make, setHidden } from "./dom.js";

const date = (unixS) => new Date(unixS * 1000).toLocaleString();

export class DeviceList {
  #list = byId("devices");

  // Fetches the list if this device may see it.
  async show(mayDrive) {
    setHidden(byId("pair"), mayDrive);
    setHidden(byId("doctor"), !mayDrive);
    setHidden(byId("calibrate-pad"), !mayDrive);
    setHidden(byId("calibrate"), !mayDrive);
    if (mayDrive) await this.#ask("/api/devices", {});
    else this.#list.replaceChildren();
  }

  async #revoke(id) {
    const body = JSON.stringify({ device: id });
    await this.#ask("/api/devices/revoke", { method: "POST", body });
  }

  async #ask(path, options) {
    try {
      const response = await fetch(path, options);
      if (response.ok) this.#draw((await response.json()).devices);
    } catch {
      // Without a link there is no list; the page says elsewhere that the link is lost.
      this.#list.replaceChildren();
    }
  }

  #draw(devices) {
    this.#list.replaceChildren(
      ...devices.map((device) => {
        const item = make("li", "device");
        const text = device.is_this ? `${device.name} (this one)` : device.name;
        const button = make("button", "button", "Revoke");
        button.type = "button";
        button.setAttribute("aria-label", `Revoke ${text}`);
        button.addEventListener("click", () => this.#revoke(device.id));
        const since = `paired ${date(device.paired_unix_s)}, seen ${date(device.seen_unix_s)}`;
        item.append(make("span", "", text), make("small", "", since), button);
        return item;
      }),
    );
  }
}
