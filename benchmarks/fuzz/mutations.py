"""Inputs made of valid messages by a seeded chance: the same ones at every run."""

import random
from collections.abc import Sequence

# Where integers and floats of every width have their edges.
_INTEGERS = tuple(
    value.to_bytes(width, order)
    for width in (1, 2, 4, 8)
    for value in (
        *(0, 1, 0x7F, 0x80, 0xFF),
        *((1 << width * 8 - 1) - 1, 1 << width * 8 - 1, (1 << width * 8) - 1),
    )
    if value < 1 << width * 8
    for order in ("big", "little")
)
# Not a number, both infinities, the largest and the smallest.
_FLOATS = tuple(
    bytes.fromhex(text)
    for text in (
        "7ff8000000000000",
        "7ff0000000000000",
        "fff0000000000000",
        "7fefffffffffffff",
        "0000000000000001",
    )
)
_UNCHANGED, _ONLY_VALUES = 1 / 16, 1 / 4
_MOST_CHANGES = 6
_LONGEST_PIECE = 24
MAX_BYTES = 4096


class Mutator:
    """Makes one input after the other from ``seeds`` and ``tokens``; remembers none of them."""

    def __init__(self, seeds: Sequence[bytes], tokens: Sequence[bytes], seed: int) -> None:
        self._seeds = tuple(seeds)
        self._tokens = tuple(tokens)
        self._pieces = (*tokens, *_INTEGERS, *_FLOATS)
        self._random = random.Random(seed)
        self._changes = (
            self._flip_a_bit,
            self._replace_a_byte,
            self._put_a_piece_over,
            self._put_a_piece_over,
            self._insert_a_piece,
            self._insert_chance,
            self._cut_the_end,
            self._take_out,
            self._repeat,
            self._go_on_as_another,
            self._exchange_a_token,
        )

    def input(self) -> bytes:
        """Return the next input, of at most MAX_BYTES.

        One in sixteen is a seed as it is: what is valid must stay accepted. In a quarter of the
        others only the values change.
        """
        chance = self._random
        data = chance.choice(self._seeds)
        if chance.random() < _UNCHANGED:
            return data[:MAX_BYTES]
        if chance.random() < _ONLY_VALUES:
            return self._exchange_a_token(data)[:MAX_BYTES]
        for _ in range(chance.randrange(_MOST_CHANGES)):
            data = chance.choice(self._changes)(data)
        return data[:MAX_BYTES]

    def _place(self, data: bytes) -> int:
        return self._random.randrange(len(data) + 1)

    def _length(self) -> int:
        return self._random.randrange(1, _LONGEST_PIECE)

    def _flip_a_bit(self, data: bytes) -> bytes:
        if not data:
            return data
        bit = self._random.randrange(len(data) * 8)
        return _with(data, bit // 8, data[bit // 8] ^ 1 << bit % 8)

    def _replace_a_byte(self, data: bytes) -> bytes:
        if not data:
            return data
        return _with(data, self._random.randrange(len(data)), self._random.randrange(256))

    def _put_a_piece_over(self, data: bytes) -> bytes:
        piece, place = self._random.choice(self._pieces), self._place(data)
        return data[:place] + piece + data[place + len(piece) :]

    def _insert_a_piece(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + self._random.choice(self._pieces) + data[place:]

    def _insert_chance(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + self._random.randbytes(self._length()) + data[place:]

    def _cut_the_end(self, data: bytes) -> bytes:
        return data[: self._place(data)]

    def _take_out(self, data: bytes) -> bytes:
        place = self._place(data)
        return data[:place] + data[place + self._length() :]

    def _repeat(self, data: bytes) -> bytes:
        """Repeat a piece a few times, or so often that nesting becomes deep."""
        place = self._place(data)
        times = self._random.choice((1, 1, 2, 3, 2000))
        piece = data[place : place + self._length()]
        return data[:place] + piece * times + data[place:]

    def _go_on_as_another(self, data: bytes) -> bytes:
        other = self._random.choice(self._seeds)
        return data[: self._place(data)] + other[self._place(other) :]

    def _exchange_a_token(self, data: bytes) -> bytes:
        """Put one token where another stands, so that what is around it stays what it is."""
        there = [token for token in self._tokens if token in data]
        if not there:
            return data
        old = self._random.choice(there)
        alike = [token for token in self._tokens if len(token) == len(old)]
        new = self._random.choice(self._random.choice((alike, self._tokens)))
        place = data.find(old, self._place(data))
        if place < 0:
            place = data.find(old)
        return data[:place] + new + data[place + len(old) :]


def _with(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes((value,)) + data[place + 1 :]
