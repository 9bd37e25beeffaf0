"""Who may drive: devices that have been paired, and whoever has the owner's key.

A paired device has a signed cookie with its name in the list and its own token; a program on
the rover sends the key, which only the rover's owner can read.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from flask import g, session

from rover.clock import Clock
from rover.errors import ConfigError
from web import auth
from web.devices import Device, Devices
from web.invitations import Invitations

_log = logging.getLogger(__name__)

_DEVICE_FIELD = "device"
_TOKEN_FIELD = "token"  # noqa: S105 - a cookie's field
# Who has the key is no device, but passes as one.
OWNER = Device("owner", "the key", "", 0.0, 0.0)


class Access:
    """The key, the paired devices, and the invitation that is out."""

    def __init__(self, state_dir: Path, clock: Clock) -> None:
        """Raises ConfigError if the key or the devices in ``state_dir`` cannot be kept."""
        self.key = auth.load_key(state_dir)
        self.devices = Devices(state_dir)
        self.invitations = Invitations(clock)
        self._on_revoke: Callable[[str], None] = lambda device_id: None

    def on_revoke(self, act: Callable[[str], None]) -> None:
        """Have ``act`` called with the id of every device that may not drive any more."""
        self._on_revoke = act

    def visitor(self) -> Device | None:
        """Return who makes this request; None for somebody who is not paired."""
        if "visitor" not in g:
            g.visitor = self._find_visitor()
        found: Device | None = g.visitor
        return found

    def has_key(self, candidate: str) -> bool:
        """Tell whether ``candidate`` is the owner's key."""
        return auth.is_key(self.key, candidate)

    def _find_visitor(self) -> Device | None:
        if self.has_key(auth.bearer_token()):
            return OWNER
        device_id, token = session.get(_DEVICE_FIELD), session.get(_TOKEN_FIELD)
        if isinstance(device_id, str) and isinstance(token, str):
            try:
                return self.devices.find(device_id, token)
            except (ConfigError, OSError) as error:
                # Whoever that is may stop, as everybody may, and nothing else.
                _log.error("no device is known: %s", error)
        return None

    def pair(self, name: str) -> None:
        """Pair the device that makes this request; the answer to it sets the cookie."""
        added = self.devices.add(name)
        session.permanent = True
        session[_DEVICE_FIELD] = added.device.id
        session[_TOKEN_FIELD] = added.token
        g.visitor = added.device
        for device in added.forgotten:
            self._on_revoke(device.id)

    def revoke(self, device_id: str) -> Device | None:
        """Forget a device and end what it does; return it if it was known.

        Raises OSError or ConfigError if the list cannot be written; what it does ends all the same.
        """
        try:
            device = self.devices.remove(device_id)
        except (ConfigError, OSError):
            self._on_revoke(device_id)
            raise
        if device is not None:
            self._on_revoke(device_id)
        return device
