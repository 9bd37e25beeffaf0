"""What control lends to another process, for as long as that asks for it again and again.

Nothing lent outlives its borrower: who says nothing for a while has it no more, and control may
take it back at any moment. Pure: time is passed in.
"""

import math

# A borrower asks some 30 times a second; a busy computer may hold one up.
KEPT_FOR_S = 1.0


class Loan:
    """One thing, lent to one borrower at a time."""

    def __init__(self, what: str, kept_for_s: float = KEPT_FOR_S) -> None:
        """``what`` names it for people; who is silent for ``kept_for_s`` loses it."""
        self._what = what
        self._kept_for_s = kept_for_s
        self._borrower = ""
        self._token = ""
        self._asked_s = -math.inf

    @property
    def borrower(self) -> str:
        """Who has it, empty while nobody does."""
        return self._borrower

    @property
    def token(self) -> str:
        """By what the borrower is known, if it asked with such a thing."""
        return self._token

    def ask(self, who: str, now_s: float, token: str = "") -> str:
        """Lend it to ``who``, or go on lending it; return why not, empty if it is lent.

        A ``token`` tells two of one name apart. Raises ValueError if nobody asks: an empty name
        would look like no borrower at all.
        """
        if not who:
            raise ValueError("a borrower needs a name")
        if self._borrower and not self.is_lent_to(who, token) and not self.is_overdue(now_s):
            return f"{self._borrower} has {self._what}: wait until that is done"
        self._borrower, self._token = who, token
        self._asked_s = now_s
        return ""

    def is_lent_to(self, who: str, token: str = "") -> bool:
        """Return whether ``who`` has it, by the token that it was asked for with."""
        return bool(self._borrower) and (self._borrower, self._token) == (who, token)

    def is_overdue(self, now_s: float) -> bool:
        """Return whether a borrower has it and has not asked again in time."""
        return bool(self._borrower) and now_s - self._asked_s > self._kept_for_s

    def end(self) -> None:
        """Have nobody have it."""
        self._borrower = self._token = ""
        self._asked_s = -math.inf
