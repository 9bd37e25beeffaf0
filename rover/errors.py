"""The rover's own exceptions: a small tree, each with a builtin second parent.

Raise them ``from`` their cause. A message names the place, the value, what is allowed
and what to do next, for it is shown to a person as it stands.
"""


class RoverError(Exception):
    """Anything the rover's software reports as gone wrong."""


class ConfigError(RoverError, ValueError):
    """A configuration file cannot be used."""


class GeometryError(RoverError, ValueError):
    """The rover's wheels cannot make the motion that was asked for."""


class DeviceError(RoverError, OSError):
    """A device could not be opened or used."""


class DeviceTimeoutError(DeviceError, TimeoutError):
    """A device did not answer within its deadline."""


class BadReplyError(DeviceError):
    """A device answered with bytes that cannot be trusted (checksum, length, acknowledgement)."""


class LinkError(RoverError, ConnectionError):
    """The control process cannot be reached, or its socket cannot be made."""


class InUseError(LinkError):
    """Another process that touches the hardware is there already."""


class BadMessageError(RoverError, ValueError):
    """A message from outside is malformed, out of range or not finite."""


class ServeError(RoverError, OSError):
    """The web server cannot listen where it was told to."""
