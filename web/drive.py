"""One client's side of driving: its frames in, commands to control out.

A command is stamped with the time its frame arrived and sent once: when the phone falls
silent the commands do too, and control's deadline stops the rover.
"""

import logging
import math
from collections.abc import Callable, Sequence

from rover.errors import BadMessageError
from rover.messages import REMOTE_REQUESTS, Answer, Motion, RequestKind, Source, Stop, is_neutral
from rover.motion.sticks import StickInput, StickLimits, motion_from_sticks
from web.frames import (
    AnswerFrame,
    AskFrame,
    ClientFrame,
    DriveFrame,
    GiveFrame,
    HaltFrame,
    KeepFrame,
    PingFrame,
    ReasonCode,
    ReasonFrame,
    RequestFrame,
    ServerFrame,
    WelcomeFrame,
    decode,
)
from web.inflow import FrameBudget
from web.outbox import IDLE_S
from web.remote import Remote

_log = logging.getLogger(__name__)

MAX_BAD_FRAMES = 20
MAX_FRAMES_HZ = 100.0
# A link that was held up for a second hands over that second's frames at once.
_BURST_FRAMES = 100
# What a page has seen last may be older than its link is slow: by the time between two states,
# and by what the server and the page need to pass it on.
_HANDLING_S = 0.05
# The same reason is told a client at most this often.
_REASON_PERIOD_S = 1.0


class DriveSession:
    """The conversation with one client. Its methods belong to the socket's own thread."""

    def __init__(
        self,
        remote: Remote,
        name: str,
        device_id: str | None,
        tell: Callable[[ServerFrame], None],
    ) -> None:
        """``tell`` sends a frame to the client; it must not wait and may be called anywhere.

        ``device_id`` is that of the paired device that the client is, None if it only watches.
        ``heard`` is the page's time (ms) in its newest frame, and when that arrived (s).
        """
        self.name = name
        self.heard: tuple[float, float] | None = None
        self.device_id = device_id
        self._remote = remote
        self._revoked = False
        self._tell = tell
        between_states_s = min(IDLE_S, 1.0 / remote.config.loop.telemetry_hz)
        self._may_be_old_s = remote.config.deadlines.web_s + between_states_s + _HANDLING_S
        self._budget = FrameBudget(MAX_FRAMES_HZ, _BURST_FRAMES)
        self._bad_frames = 0
        self._sequence = -1
        # After a halt, or while another drives, a client must come to neutral before it counts.
        self._rested = False
        # Whether it had the wheel at its last drive frame: who is given it begins at rest.
        self._held_wheel = False
        # When a stick of this client was last heard to be held; a silence after that is a stop.
        self._held_s = -math.inf
        # The drive frame that would be acted on if no newer one waited.
        self._newest: DriveFrame | None = None
        self._asked: set[RequestKind] = set()
        self._told_s: dict[ReasonCode, float] = {}
        tell(WelcomeFrame(name, self.may_drive))

    @property
    def may_drive(self) -> bool:
        """Whether the client is a paired device, and still is."""
        return self.device_id is not None and not self._revoked

    @property
    def is_revoked(self) -> bool:
        """Whether the client was a paired device and is no more."""
        return self._revoked

    def revoke(self) -> None:
        """From now on move nothing, and stop what moves. Any thread may call this.

        The wheel stays with the client until its own thread closes the session and stops
        again: what that thread was just about to send comes before.
        """
        self._revoked = True
        if self._remote.lease.holder == self.name:
            stop = Stop(f"{self.name} is not paired any more")
            self._remote.client.drive(Source.WEB, stop, self._remote.clock.now_s())

    @property
    def is_hopeless(self) -> bool:
        """Whether the client has sent so much rubbish that its connection shall be closed."""
        return self._bad_frames >= MAX_BAD_FRAMES

    def receive(self, messages: Sequence[str | bytes], arrived_s: float) -> None:
        """Act on all that has come in by ``arrived_s``; of several drive frames on the newest.

        A thumb that landed and moved on before its landing was read has still been at rest.
        """
        for message in messages:
            try:
                frame = decode(message)
            except BadMessageError as error:
                self._refuse_bad(str(error))
                if self.is_hopeless:
                    return
                continue
            self.heard = frame.t, arrived_s
            if self._may_pass(frame, arrived_s):
                self._act_on(frame, arrived_s)
        newest, self._newest = self._newest, None
        if newest is not None:
            self._drive(newest, arrived_s)

    def _act_on(self, frame: ClientFrame, arrived_s: float) -> None:
        match frame:
            case DriveFrame():
                if not self._counts(frame, arrived_s):
                    return
                if self._newest is not None and _is_at_rest(self._newest, frame):
                    self._drive(self._newest, arrived_s)
                self._newest = frame
            case HaltFrame(reason=reason):
                self._halt(f"the page of {self.name} was {reason}")
            case RequestFrame():
                self._request(frame)
            case AskFrame():
                self._ask_for_wheel()
            case GiveFrame(to=to):
                self._give_wheel(to)
            case KeepFrame(to=to):
                self._remote.lease.refuse(self.name, to)
            case PingFrame():
                pass

    def close(self) -> None:
        """Stop the motion that the client asked for: it has gone."""
        self._halt(f"{self.name} disconnected")
        self._remote.lease.release(self.name)

    def _may_pass(self, frame: ClientFrame, arrived_s: float) -> bool:
        """Whether a frame is within the client's budget; what stops the rover always is."""
        match frame:
            case HaltFrame() | GiveFrame() | RequestFrame(kind=RequestKind.STOP):
                return True
        if self._budget.spend(arrived_s):
            return True
        self._tell_reason(
            ReasonCode.TOO_MANY,
            f"more than {MAX_FRAMES_HZ:.0f} frames a second: the excess is dropped",
        )
        return False

    def _counts(self, frame: DriveFrame, arrived_s: float) -> bool:
        """Whether a drive frame may be looked at: in order, and allowed to this client."""
        if frame.seen_s is not None and frame.seen_s > arrived_s:
            self._refuse_bad(f"seen_s {frame.seen_s} is in the future: echo clock_s of state")
            return False
        if frame.seq <= self._sequence:
            self._refuse_bad(f"drive frame {frame.seq} after {self._sequence}: seq must go up")
            return False
        self._sequence = frame.seq
        if not self.may_drive:
            self._tell_reason(ReasonCode.NOT_ALLOWED, "watching only: pair this device to drive")
        return self.may_drive

    def _drive(self, frame: DriveFrame, arrived_s: float) -> None:
        if frame.seen_s is None:
            self._tell_reason(ReasonCode.LATE, "the rover has not been seen yet: look first")
            return
        age_s = arrived_s - frame.seen_s
        if age_s > self._may_be_old_s:
            self._tell_reason(
                ReasonCode.LATE,
                f"a drive frame answers what was seen {age_s * 1000:.0f} ms ago and was dropped "
                f"(at most {self._may_be_old_s * 1000:.0f} ms): the link is too slow to drive",
            )
            return
        motion = self._motion(frame)
        if self._has_wheel(motion):
            self._remote.client.drive(Source.WEB, motion, arrived_s)

    def _motion(self, frame: DriveFrame) -> Motion:
        allowed = self._remote.config.motion
        limits = StickLimits(
            max_speed_mps=allowed.max_speed_mps * frame.limit,
            max_curvature_per_m=allowed.max_curvature_per_m,
            max_yaw_rate_rad_s=allowed.max_yaw_rate_rad_s * frame.limit,
        )
        sticks = StickInput(frame.drive, frame.turn, frame.mode)
        return motion_from_sticks(sticks, self._remote.config.sticks, limits)

    def _has_wheel(self, motion: Motion) -> bool:
        """Whether this client's motion counts, taking the wheel if it is free and wanted.

        While nobody has it, neutral from anyone goes through: control wants to see the sticks
        at rest before it lets them move anything.
        """
        lease = self._remote.lease
        holds = lease.hear(self.name)
        if holds and not self._held_wheel:
            self._rested = False
        self._held_wheel = holds
        now_s = self._remote.clock.now_s()
        if is_neutral(motion):
            self._rested, self._held_s = True, -math.inf
            return holds or not lease.holder
        if now_s - self._held_s > self._remote.config.deadlines.web_s and self._held_s > -math.inf:
            # It fell silent with its stick held, and somebody else may have been at rest since.
            self._rested = False
        self._held_s = now_s
        if self._rested and (holds or lease.take(self.name)):
            self._held_wheel = True
            return True
        self._rested = False
        holder = lease.holder
        reason = "let go of the sticks first" if holder in {"", self.name} else f"{holder} drives"
        self._tell_reason(ReasonCode.NOT_DRIVING, reason)
        return False

    def _ask_for_wheel(self) -> None:
        if not self.may_drive:
            self._tell_reason(ReasonCode.NOT_ALLOWED, "watching only: pair this device to drive")
            return

        def refused(holder: str) -> None:
            self._tell(ReasonFrame(ReasonCode.NOT_GIVEN, f"{holder} keeps the wheel"))

        if not self._remote.lease.ask(self.name, refused) and self._remote.lease.holder == "":
            self._tell_reason(ReasonCode.NOT_GIVEN, "the wheel is free: push a stick to have it")

    def _give_wheel(self, to: str) -> None:
        """Stop, and only then let somebody else have the wheel."""
        lease = self._remote.lease
        if to and to not in lease.asking:
            self._tell_reason(ReasonCode.NOT_GIVEN, f"{to} does not ask for the wheel any more")
            return
        self._halt(f"{self.name} gave the wheel away")
        if not to:
            lease.release(self.name)
        elif not lease.give(self.name, to):
            self._tell_reason(ReasonCode.NOT_GIVEN, f"the wheel was not {self.name}'s to give")

    def _halt(self, reason: str) -> None:
        """Stop what this client has set in motion, nobody else's driving."""
        self._newest = None
        self._rested = False
        if self._remote.lease.holder == self.name:
            self._remote.client.drive(Source.WEB, Stop(reason), self._remote.clock.now_s())

    def _request(self, frame: RequestFrame) -> None:
        if not self.may_drive and frame.kind is not RequestKind.STOP:
            refusal = f"watching only: pair this device to {frame.kind}"
            self._answer(frame, Answer(False, (refusal,)))
            return
        if frame.kind not in REMOTE_REQUESTS:
            self._answer(frame, Answer(False, (f"{frame.kind} is for calibrations alone",)))
            return
        if not self._saw_the_present(frame):
            newest = self._remote.hub.newest
            state = "out of sight" if newest is None else newest.state
            self._answer(frame, Answer(False, (f"the rover is now {state}: look again",)))
            return
        if frame.kind is RequestKind.STOP:
            self._newest = None
        elif frame.kind in self._asked:
            self._answer(frame, Answer(False, (f"{frame.kind}: still waiting for control",)))
            return
        self._asked.add(frame.kind)

        def answered(answer: Answer) -> None:
            self._asked.discard(frame.kind)
            self._answer(frame, answer)

        self._remote.asker.ask_then(frame.kind, self.name, answered)

    def _saw_the_present(self, frame: RequestFrame) -> bool:
        """Whether a request is meant for the rover as it is now; to end something always is."""
        if frame.kind in {RequestKind.STOP, RequestKind.DISARM}:
            return True
        newest = self._remote.hub.newest
        return newest is not None and frame.seen is newest.state

    def _answer(self, frame: RequestFrame, answer: Answer) -> None:
        self._tell(AnswerFrame(frame.number, frame.kind, answer.accepted, answer.refusals))

    def _refuse_bad(self, reason: str) -> None:
        self._bad_frames += 1
        self._halt(f"a bad frame from {self.name}")
        self._tell(ReasonFrame(ReasonCode.BAD_FRAME, reason))
        if self.is_hopeless:
            text = f"{MAX_BAD_FRAMES} bad frames: this connection is closed"
            _log.warning("%s: %s, the last: %s", self.name, text, reason)
            self._tell(ReasonFrame(ReasonCode.BAD_FRAME, text))

    def _tell_reason(self, code: ReasonCode, text: str) -> None:
        now_s = self._remote.clock.now_s()
        if now_s - self._told_s.get(code, -_REASON_PERIOD_S) >= _REASON_PERIOD_S:
            self._told_s[code] = now_s
            self._tell(ReasonFrame(code, text))


def _is_at_rest(frame: DriveFrame, following: DriveFrame) -> bool:
    """Whether the sticks were let go in ``frame`` and are not any more in the one after it."""
    return frame.drive == frame.turn == 0.0 and (following.drive, following.turn) != (0.0, 0.0)
