"""Files that are written whole or not at all."""

import os
import tempfile
from pathlib import Path

from rover.errors import ConfigError


def replace_file(path: Path, text: str, advice: str) -> None:
    """Write a file so that a loss of power leaves the old one or the new one.

    Raises ConfigError, which ends with ``advice``, if it cannot be written.
    """
    path = path.resolve()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
        ) as stream:
            try:
                stream.write(text)
                stream.flush()
                # Control may run as another user, and nothing in it is secret.
                os.fchmod(stream.fileno(), path.stat().st_mode & 0o777 if path.exists() else 0o644)
                os.fsync(stream.fileno())
                Path(stream.name).replace(path)
            except BaseException:
                Path(stream.name).unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; {advice}") from error
