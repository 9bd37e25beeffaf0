"""A stopwatch to put on the methods of an object: how long each stage of a tick takes."""

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any


class Stopwatch:
    """Times by stage (s); a stage that takes place twice a tick has two."""

    def __init__(self) -> None:
        self.times_s: dict[str, list[float]] = defaultdict(list)

    def put_on(self, owner: object, method: str, stage: str) -> None:
        """Time every call of ``owner.method`` from now on. Raises AttributeError if it has none."""
        act: Callable[..., Any] = getattr(owner, method)
        times_s = self.times_s[stage]

        def timed(*arguments: object) -> object:
            start_s = time.perf_counter()
            result = act(*arguments)
            times_s.append(time.perf_counter() - start_s)
            return result

        setattr(owner, method, timed)
