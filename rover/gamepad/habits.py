"""How a person has set the pad to drive: the mode, slow driving, the trim of the steering."""

from rover.config import Config
from rover.gamepad.codes import Control
from rover.gamepad.layout import PadState
from rover.messages import Arc, Motion
from rover.motion.kinematics import Kinematics
from rover.motion.sticks import DriveMode, StickLimits, tightest_at


class Habits:
    """What the buttons that move nothing have been pressed for, and what comes of it.

    Slow driving and the trim outlast a pad that goes: a rover that was slow stays so, and what
    its steering needs is not the pad's. The mode begins anew with each pad.
    """

    def __init__(self, config: Config, kinematics: Kinematics) -> None:
        motion = config.motion
        self._gamepad, self._bindings = config.gamepad, config.gamepad.bindings
        self._feel = config.sticks
        self._tightest_per_m = kinematics.max_curvature_per_m
        slow_mps = min(motion.slow_speed_mps, motion.max_speed_mps)
        # A spin is slowed in the same proportion.
        slow_rad_s = motion.max_yaw_rate_rad_s * slow_mps / motion.max_speed_mps
        self._normal = self._limits(motion.max_speed_mps, motion.max_yaw_rate_rad_s)
        self._turbo = self._limits(motion.turbo_speed_mps, motion.max_yaw_rate_rad_s)
        self._slow = self._limits(slow_mps, slow_rad_s)
        self.can_crab = kinematics.can_crab
        self._modes = [DriveMode.ARC, DriveMode.SPIN, *([DriveMode.CRAB] * self.can_crab)]
        self.mode = DriveMode.ARC
        self._is_slow = False
        self.trim_per_m = 0.0

    def new_pad(self) -> None:
        """Begin with another pad, or with the same one come back."""
        self.mode = DriveMode.ARC

    def press(self, control: Control, state: PadState) -> None:
        """Take in that a button went down."""
        bindings = self._bindings
        if control == bindings.mode:
            self.mode = self._modes[(self._modes.index(self.mode) + 1) % len(self._modes)]
        elif control == bindings.slow:
            self._is_slow = not self._is_slow
        elif control == bindings.trim_reset:
            self.trim_per_m = 0.0
        elif control == bindings.trim_left:
            self._trim(self._gamepad.trim_step_per_m, reset=state.is_down(bindings.trim_right))
        elif control == bindings.trim_right:
            self._trim(-self._gamepad.trim_step_per_m, reset=state.is_down(bindings.trim_left))

    def is_slow(self, state: PadState) -> bool:
        """Tell whether the pad drives slowly now."""
        if self._gamepad.slow_while_held:
            return state.is_down(self._bindings.slow)
        return self._is_slow

    def limits(self, *, turbo: bool, slow: bool) -> StickLimits:
        """Return what sticks at their ends ask for; slow goes before turbo."""
        if slow:
            return self._slow
        return self._turbo if turbo else self._normal

    def trimmed(self, motion: Motion) -> Motion:
        """Return ``motion`` with the trim on top of its curvature while it drives an arc.

        What asks for no speed is left alone, so that rest stays rest.
        """
        if not isinstance(motion, Arc) or motion.speed_mps == 0.0:
            return motion
        curvature_per_m = motion.curvature_per_m + self.trim_per_m
        tightest_per_m = tightest_at(motion.speed_mps, self._feel, self._tightest_per_m)
        return Arc(motion.speed_mps, max(-tightest_per_m, min(tightest_per_m, curvature_per_m)))

    def _limits(self, speed_mps: float, yaw_rate_rad_s: float) -> StickLimits:
        return StickLimits(speed_mps, self._tightest_per_m, yaw_rate_rad_s)

    def _trim(self, step_per_m: float, *, reset: bool) -> None:
        most_per_m = self._gamepad.max_trim_per_m
        # To 0.1 mm of a 10 m circle: steps there and back end at exactly zero.
        trim_per_m = round(self.trim_per_m + step_per_m, 6)
        self.trim_per_m = 0.0 if reset else max(-most_per_m, min(most_per_m, trim_per_m))
