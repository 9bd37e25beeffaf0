"""Files that their owner alone reads, written whole or not at all."""

import os
import tempfile
from contextlib import suppress
from pathlib import Path


def write_private(path: Path, content: bytes) -> os.stat_result:
    """Put ``content`` into the file ``path``, whose folder is there; return what it is now.

    A loss of power leaves the old file or the new one. Raises OSError, and leaves nothing behind.
    """
    # mkstemp makes it readable by its owner only.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            found = os.fstat(file.fileno())
        Path(name).replace(path)
    except OSError:
        with suppress(OSError):
            Path(name).unlink()
        raise
    return found
