"""A rover's real processes with all that may drive it, and what can be done to them.

Hardware, control and web, a phone behind a link that can be held up, a gamepad in a test bed, and
somebody who watches the wheels.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import pretended_pad
from benchmarks.faults.bed import Await, BedClient, Spawn
from benchmarks.faults.drivers import GamepadHand, Hand, PhoneHand
from benchmarks.faults.fault import Driver
from benchmarks.faults.lossy_link import LossyLink
from benchmarks.faults.pads import FOLDER, NODE, BedPads, FailingPads, Pads
from benchmarks.faults.small_disk import small_disk
from benchmarks.faults.watcher import Watcher
from benchmarks.harness import NotMeasuredError, wait_until
from benchmarks.rig import Rig, loop_settings
from rover.config.sections import RoboclawConfig
from rover.messages import ArmState, RequestKind, Telemetry
from rover.sim.faults import Fault
from rover.sim.truth import TruthClient

FULL_RAD_S = 1.0 / 0.075
_PRIORITY = 50
STOP_BUTTON = 16
_SETTINGS = f"[panel]\nstop_button = {STOP_BUTTON}\n"
# Beyond it a full stick has not brought the rover to full speed, which takes 0.8 s.
_UP_TO_SPEED_S = 2.0
_GIVE_UP_S = 20.0
_SIMULATED_MARGIN_S, _REAL_MARGIN_S = 0.03, RoboclawConfig().reply_margin_s
_UP = 0.98


class Stage:
    """One rover, ready to be driven; get one from ``staged``."""

    def __init__(self, directory: Path, *, node_fails: bool, real_margin: bool) -> None:
        settings = _SETTINGS + loop_settings(100.0, _PRIORITY)
        self._folder = directory / FOLDER if node_fails else None
        if self._folder is not None:
            settings += f'[gamepad]\ndevice = "{self._folder / NODE}"\n'
        self.rig = Rig(directory, settings)
        self.fault_file = directory / "fault"
        module = "benchmarks.faults.breakable"
        margin = str(_REAL_MARGIN_S if real_margin else _SIMULATED_MARGIN_S)
        self._breakable = (sys.executable, "-m", module, str(self.fault_file), margin)
        self.control_pid = 0
        self._exit = contextlib.ExitStack()
        self._exit.callback(self.rig.end)
        self._hands: dict[Driver, Hand] = {}
        self._has_pad = False
        self.pad = GamepadHand()
        self._exit.callback(self.pad.close)
        # How many runs there have been before this one.
        self.runs = 0
        # Who drives, and asks on whatever happens.
        self.driver = Driver.PHONE
        self._bystander: PhoneHand | None = None

    def start(self) -> None:
        """Start everything. Raises NotMeasuredError where something is missing."""
        wrapper = shutil.which(pretended_pad.WRAPPER)
        if wrapper is None:
            raise NotMeasuredError("a gamepad can be pretended with umockdev: apt install umockdev")
        self.hardware = self.rig.start_hardware()
        path = self.rig.directory
        self._truths = self._exit.enter_context(TruthClient(str(path / "truth")))
        self.watcher = self._exit.enter_context(Watcher(path))
        self._bed = self._start_bed(wrapper)
        self._pads: Pads = FailingPads(self._folder) if self._folder else BedPads(self._bed)
        self._exit.callback(self._pads.close)
        self.start_control()
        self.web, self.link, self.key = self._start_web()

    def _start_bed(self, wrapper: str) -> BedClient:
        here, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with far:
            command = (wrapper, sys.executable, "-m", "benchmarks.faults.bed", str(far.fileno()))
            self.rig.start("bed", command, [far.fileno()])
        bed = BedClient(here)
        # Before the rig ends its processes, which the bed's socket does for it.
        self._exit.callback(bed.close)
        return bed

    def _start_web(self) -> tuple[subprocess.Popen[bytes], LossyLink, str]:
        port, key = self.rig.start_web(self._breakable)
        link = self._exit.enter_context(LossyLink(port))
        return self.rig.newest, link, key

    def restart_web(self) -> None:
        """Start the web server anew, the old one having ended; phones find it by themselves."""
        port, _ = self.rig.start_web(self._breakable)
        self.web, self.link.target = self.rig.newest, port

    def start_control(self) -> None:
        """Start control, the one before having ended, with a pad plugged in; await it.

        If the pad drives, its stick is held all the while.
        """
        # What the one before has published is not read for this one's.
        self.rig.client.telemetry(0.0)
        began_s = self.rig.clock.now_s()
        self.plug_pad_anew()
        if self.driver is Driver.PAD:
            self.pad.full()
        command = [*self._breakable, *self.rig.control_options]
        done, _ = self._bed.ask(Spawn(command, str(self.rig.directory / "control.log")))
        self.control_pid = done.pid
        self.fresh_telemetry(began_s)

    def plug_pad_anew(self) -> None:
        """Plug a gamepad in that is new to the rover; one that is there is unplugged first."""
        self.unplug_pad()
        self.pad.take(self._pads.plug())
        self._has_pad = True

    def unplug_pad(self) -> float:
        """Unplug the gamepad, if there is one; return when (s, monotonic)."""
        unplugged_s = time.monotonic()
        if self._has_pad:
            self._has_pad = False
            # Whoever holds the descriptor keeps the pad from ending.
            self.pad.drop()
            self._pads.unplug()
        return unplugged_s

    @property
    def phone(self) -> PhoneHand:
        """The phone, on its page from the first time on that it is asked for."""
        hand = self._hands.get(Driver.PHONE)
        if not isinstance(hand, PhoneHand):
            hand = self._new_phone()
            self._hands[Driver.PHONE] = hand
        return hand

    @property
    def bystander(self) -> PhoneHand:
        """Another phone, from the first time on that it is asked for."""
        if self._bystander is None:
            self._bystander = self._new_phone()
        return self._bystander

    def _new_phone(self) -> PhoneHand:
        hand = PhoneHand(self.link.port, self.key)
        self._exit.callback(hand.close)
        return hand

    def hand(self, driver: Driver) -> Hand:
        """Return who drives."""
        return self.pad if driver is Driver.PAD else self._hands.get(driver) or self.phone

    def signal_control(self, number: signal.Signals) -> float:
        """Send control a signal; return when (s, monotonic)."""
        sent_s = time.monotonic()
        os.kill(self.control_pid, number)
        return sent_s

    def break_control(self, what: str) -> float:
        """Break something within control; return when (s, monotonic) it was told to break."""
        self.fault_file.write_text(what, encoding="ascii")
        return self.signal_control(signal.SIGUSR1)

    def break_both(self, what: str) -> float:
        """Break the same in control and in the web process; return when it was told to break."""
        broken_s = self.break_control(what)
        os.kill(self.web.pid, signal.SIGUSR1)
        return broken_s

    def end_control(self) -> None:
        """Tell control to end, and wait until it has."""
        self.signal_control(signal.SIGTERM)
        self.control_ended()

    def control_ended(self) -> int:
        """Return the code that control has ended with. Raises NotMeasuredError if it has not."""
        done, _ = self._bed.ask(Await(_GIVE_UP_S))
        if done.code is None:
            raise NotMeasuredError("control goes on")
        return done.code

    def inject(self, fault: Fault) -> float:
        """Put a fault into the simulated rover; return when (s, monotonic)."""
        injected_s = time.monotonic()
        self._truths.inject(fault)
        return injected_s

    def fresh_telemetry(self, since_s: float | None = None) -> Telemetry:
        """Return what control tells, published after ``since_s`` of the rover's clock, or now."""
        since_s = self.rig.clock.now_s() if since_s is None else since_s
        deadline_s = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < deadline_s:
            telemetry = self.rig.client.telemetry(0.2)
            if telemetry is not None and telemetry.stamp_s >= since_s:
                return telemetry
        raise NotMeasuredError(f"no telemetry; control said: {self.rig.told_by('control')[-600:]}")

    def make_armed(self) -> None:
        """Do what a person does until the rover is armed: clear what is latched, then arm."""
        deadline_s = time.monotonic() + _GIVE_UP_S
        while (state := self.fresh_telemetry().state) is not ArmState.ARMED:
            kind = RequestKind.ARM if state is ArmState.DISARMED else RequestKind.CLEAR
            answer = self.rig.client.request(kind, "a person")
            if time.monotonic() > deadline_s:
                raise NotMeasuredError(f"never armed: {'; '.join(answer.refusals)}")
            if not answer.accepted:
                time.sleep(0.02)

    def drive(self, hand: Hand) -> None:
        """Bring the rover to full speed, from neutral, armed first if need be."""
        deadline_s = time.monotonic() + _GIVE_UP_S
        while time.monotonic() < deadline_s:
            hand.rest()
            self.make_armed()
            hand.rest()
            hand.full()
            if self._comes_up_to_speed():
                return
        raise NotMeasuredError(f"never at full speed; the rover says: {self.told()}")

    @property
    def at_full_speed(self) -> bool:
        """Whether all wheels turn as fast as a full stick asks for."""
        return self.watcher.newest.slowest_rad_s >= _UP * FULL_RAD_S

    def _comes_up_to_speed(self) -> bool:
        deadline_s = time.monotonic() + _UP_TO_SPEED_S
        while time.monotonic() < deadline_s:
            if self.at_full_speed:
                return True
            time.sleep(0.005)
        return False

    def await_state(self, state: ArmState) -> None:
        """Wait until the rover says that it is in ``state``."""
        wait_until(lambda: self.fresh_telemetry().state is state, f"never came to be {state}")

    def told(self) -> str:
        """Return what the rover has said lately."""
        telemetry = self.fresh_telemetry()
        changes = [event.text for event in telemetry.events if event.code.startswith("state-")]
        conditions = [condition.text for condition in telemetry.conditions]
        return "; ".join((*changes[-1:], *conditions))

    def on_exit(self, close: Callable[[], None]) -> None:
        """Have ``close`` called when the stage is cleared, before what is there now."""
        self._exit.callback(close)

    def take_over(self, hand: Hand) -> None:
        """Have ``hand`` be the phone that drives, instead of the plain one."""
        self._hands[Driver.PHONE] = hand

    def close(self) -> None:
        """End everything."""
        self._exit.close()


@contextlib.contextmanager
def staged(
    *, node_fails: bool = False, on_small_disk: bool = False, real_margin: bool = False
) -> Iterator[Stage]:
    """Start everything in a folder of its own, and end it afterwards."""
    with contextlib.ExitStack() as undo:
        name = undo.enter_context(tempfile.TemporaryDirectory(prefix="rover-faults-"))
        if on_small_disk:
            undo.enter_context(small_disk(Path(name)))
        stage = Stage(Path(name), node_fails=node_fails, real_margin=real_margin)
        try:
            stage.start()
            yield stage
        finally:
            stage.close()
