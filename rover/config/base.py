"""What every section of the configuration is made of."""

from typing import Annotated

from msgspec import Meta, Struct

DevicePath = Annotated[str, Meta(min_length=1)]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """A table of the configuration; an unknown key in it is an error."""
