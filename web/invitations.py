"""The way to become a paired device: a code of six digits, or the link in a QR code.

A code can be guessed, so guesses are few: a code is void after some wrong ones, whoever tried
to guess waits longer each time, and all together may not try often. The link's secret cannot
be guessed, so it stays good whatever others try.
"""

import hmac
import ipaddress
import math
import secrets
import threading

from msgspec import Struct

from rover.clock import Clock
from web.inflow import FrameBudget

GOOD_FOR_S = 300.0
CODE_DIGITS = 6
# So many wrong codes, and the right one is void.
MAX_WRONG = 5
# After a wrong code an address waits so long, each time twice as long, up to the longest.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
# All addresses together.
_TRIES_A_MINUTE = 10
_MAX_ADDRESSES = 256
_TOKEN_BYTES = 16
# One household's IPv6 addresses, any of which a device may take.
_IPV6_NETWORK_BITS = 64


class Invitation(Struct, frozen=True):
    """What lets one device be paired: either of the two secrets."""

    code: str
    token: str


class Verdict(Struct, frozen=True):
    """Whether a secret was the right one; if it was not even looked at, how long to wait."""

    fits: bool
    wait_s: float = 0.0


class _Guesser(Struct):
    wrong: int
    may_try_s: float


class Invitations:
    """The one invitation that is out, if any, and who has tried to guess it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._invitation: Invitation | None = None
        self._until_s = -math.inf
        self._wrong = 0
        self._tries = FrameBudget(_TRIES_A_MINUTE / 60.0, _TRIES_A_MINUTE)
        self._guessers: dict[str, _Guesser] = {}

    def make(self) -> Invitation:
        """Return a new invitation; the one before it is void."""
        code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}}"
        with self._lock:
            self._invitation = Invitation(code, secrets.token_urlsafe(_TOKEN_BYTES))
            self._until_s = self._clock.now_s() + GOOD_FOR_S
            self._wrong = 0
            return self._invitation

    def redeem_token(self, token: str) -> Verdict:
        """Use up the invitation if ``token`` is its link's secret."""
        with self._lock:
            invitation = self._current()
            expected = "" if invitation is None else invitation.token
            fits = hmac.compare_digest(expected.encode(), token.encode()) and invitation is not None
            if fits:
                self._invitation = None
            return Verdict(fits)

    def redeem_code(self, code: str, address: str) -> Verdict:
        """Use up the invitation if ``code`` is its six digits, spaces apart."""
        now_s = self._clock.now_s()
        guesser = _network(address)
        with self._lock:
            known = self._guessers.get(guesser)
            if known is not None and now_s < known.may_try_s:
                return Verdict(False, known.may_try_s - now_s)
            if not self._tries.spend(now_s):
                return Verdict(False, 60.0 / _TRIES_A_MINUTE)
            invitation = self._current()
            expected = "" if invitation is None else invitation.code
            given = "".join(code.split())
            fits = hmac.compare_digest(expected.encode(), given.encode()) and invitation is not None
            if fits and self._wrong < MAX_WRONG:
                self._invitation = None
                self._guessers.pop(guesser, None)
                return Verdict(True)
            self._wrong += 1
            self._note_wrong(guesser, now_s)
            return Verdict(False)

    def _current(self) -> Invitation | None:
        if self._clock.now_s() > self._until_s:
            self._invitation = None
        return self._invitation

    def _note_wrong(self, guesser: str, now_s: float) -> None:
        known = self._guessers.pop(guesser, None)
        wrong = 1 if known is None or now_s > known.may_try_s + LONGEST_WAIT_S else known.wrong + 1
        wait_s = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** min(wrong - 1, 16))
        if len(self._guessers) >= _MAX_ADDRESSES:
            # The first is who has not tried for the longest time.
            del self._guessers[next(iter(self._guessers))]
        self._guessers[guesser] = _Guesser(wrong, now_s + wait_s)


def _network(address: str) -> str:
    """Return who an address belongs to, as far as that can be told."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    network = ipaddress.ip_network((int(parsed), _IPV6_NETWORK_BITS), strict=False)
    return str(network.network_address)
