"""What is said about the serial bus that control lends: asked by a client, answered by control."""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct


class BusAskKind(StrEnum):
    """Begin a loan, go on having it, or give it back."""

    BEGIN = "begin"
    KEEP = "keep"
    DONE = "done"


class BusAsk(Struct, frozen=True):
    """``who`` asks for the bus; ``token``, a secret of its own making, tells it from others.

    ``power`` asks that the motor-enable line be up meanwhile.
    """

    kind: BusAskKind
    who: Annotated[str, Meta(min_length=1, max_length=60)]
    token: Annotated[str, Meta(min_length=8, max_length=64)]
    power: bool = False


class BusLoan(Struct, frozen=True):
    """Control's answer. With ``refusal`` empty it is lent, or about to be: ask again to know.

    ``refusal`` is why it is not lent, or not any more. Once ``lent`` the port may be opened, which
    control names as ``port``; ``power`` is whether the motor-enable line is up.
    """

    refusal: str = ""
    lent: bool = False
    power: bool = False
    port: str = ""
