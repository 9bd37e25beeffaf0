"""Faults between a person and control, on the manual clock: gamepad, phone, several, stops."""

from msgspec import structs

from rover.link import ReceivedRequest
from rover.messages import ArmState, Request, RequestKind, Source
from rover.sim.faults import PressStop
from tests.builders import osr_config
from tests.faults.rig import FaultRig
from tests.faults.trial import Trial
from web.frames import HaltReason

_OUTAGE_S = 2.0


def _with_stop_button():
    config = osr_config()
    return structs.replace(config, panel=structs.replace(config.panel, stop_button=16))


WITH_BUTTON = _with_stop_button()


def _let_go(rig: FaultRig) -> None:
    rig.pad_hand.release_dead_man()


def _fall_silent(rig: FaultRig) -> None:
    rig.pad_hand.trembles = False


def _tremble(rig: FaultRig) -> None:
    rig.pad_hand.trembles = True


def _end_of_file(rig: FaultRig) -> None:
    rig.pad_hand.present = False
    rig.pad_hand.device.end()


def _vanish(rig: FaultRig) -> None:
    rig.pad_hand.present = False
    rig.pad_hand.device.gone = True


def _plug_in(rig: FaultRig) -> None:
    rig.pad_hand.plug_in_anew()
    rig.run(1.2)


def _hold_up(rig: FaultRig) -> None:
    rig.phone.held_up = True


def _deliver_the_burst(rig: FaultRig) -> None:
    """Let all that was held up come at once, the stick still pushed, and see that nothing moves."""
    rig.run(_OUTAGE_S)
    rig.phone.come_back()
    assert rig.stands_for(0.5)


def _find_the_link_good_again(rig: FaultRig) -> None:
    rig.run(_OUTAGE_S)
    rig.phone.lose()
    rig.phone.come_back()
    assert rig.stands_for(0.5)


def _freeze_web(rig: FaultRig) -> None:
    """The server reads nothing more; its sockets fill up."""
    rig.phone.held_up = True


def _let_web_go(rig: FaultRig) -> None:
    rig.phone.hang_up()


PAD = {
    "pad-dead-man": (Trial(_let_go),),
    "pad-unplugged": (Trial(_end_of_file, _plug_in),),
    "pad-vanishes": (Trial(_vanish, _plug_in),),
    "pad-silent": (Trial(_fall_silent, _tremble),),
}

PHONE = {
    "phone-hidden": (
        Trial(lambda rig: rig.phone.halt(HaltReason.HIDDEN), lambda rig: rig.phone.come_back()),
    ),
    "phone-tab-closed": (
        Trial(lambda rig: rig.phone.hang_up(), lambda rig: rig.phone.come_back()),
    ),
    # The system closes what a killed browser had open.
    "phone-browser-killed": (
        Trial(lambda rig: rig.phone.hang_up(), lambda rig: rig.phone.come_back()),
    ),
    "phone-tcp-stall": (Trial(_hold_up, _deliver_the_burst),),
    "phone-packet-loss": (Trial(_hold_up, _find_the_link_good_again),),
    "phone-burst": (Trial(_hold_up, _deliver_the_burst),),
    "web-killed": (Trial(_let_web_go, lambda rig: rig.phone.come_back(), name="closing sockets"),),
    "web-frozen": (Trial(_freeze_web, _deliver_the_burst),),
}


def _ask(rig: FaultRig, *kinds: RequestKind) -> None:
    for kind in kinds:
        request = Request(kind, "a test", rig.clock.now_s())
        rig.link.requests.append(ReceivedRequest(request, (b"", b"")))


def _in_one_tick(rig: FaultRig) -> None:
    """See that the tick after a stop has done everything: the line, the duty, the latch."""
    rig.tick()
    assert rig.state is ArmState.ESTOP
    assert not rig.truth().motor_enable
    assert rig.outputs_idle()


def _press_east(rig: FaultRig) -> None:
    rig.pad_hand.press_east()
    _in_one_tick(rig)


def _press_on_page(rig: FaultRig) -> None:
    rig.phone.press_stop()
    _in_one_tick(rig)


def _press_button(rig: FaultRig) -> None:
    rig.simulated.inject(PressStop(True))
    _in_one_tick(rig)


def _release_button(rig: FaultRig) -> None:
    refused = rig.ask(RequestKind.CLEAR)
    assert not refused.accepted
    assert any("release it" in refusal for refusal in refused.refusals)
    rig.simulated.inject(PressStop(False))


def _stop_by_command_line(rig: FaultRig) -> None:
    _ask(rig, RequestKind.STOP)
    _in_one_tick(rig)


def _two_at_once(rig: FaultRig) -> None:
    rig.simulated.inject(PressStop(True))
    _ask(rig, RequestKind.STOP, RequestKind.STOP)
    rig.pad_hand.press_east()
    _in_one_tick(rig)


def _while_arming(*kinds: RequestKind):
    def stop(rig: FaultRig) -> None:
        _ask(rig, RequestKind.DISARM)
        rig.hand.rest()
        rig.run(1.5)
        assert rig.state is ArmState.DISARMED
        rig.hand.push()
        _ask(rig, *kinds)
        _in_one_tick(rig)

    return stop


def _by_the_other(rig: FaultRig) -> None:
    if rig.hand is rig.phone:
        rig.pad_hand.press_east()
    else:
        rig.phone.press_stop()
    _in_one_tick(rig)


ESTOP = {
    "estop-pad": (Trial(_press_east),),
    "estop-page": (Trial(_press_on_page),),
    "estop-button": (Trial(_press_button, _release_button, config=WITH_BUTTON),),
    "estop-command-line": (Trial(_stop_by_command_line),),
    "estop-two-at-once": (Trial(_two_at_once, _release_button, config=WITH_BUTTON),),
    "estop-during-arming": (
        Trial(_while_arming(RequestKind.ARM, RequestKind.STOP), name="after the request to arm"),
        Trial(_while_arming(RequestKind.STOP, RequestKind.ARM), name="before it"),
    ),
    "estop-while-other-drives": (Trial(_by_the_other),),
}


def _second_phone_pushes(rig: FaultRig) -> None:
    rig.other_phone.silent = False
    rig.other_phone.push()


def _first_drives_on(rig: FaultRig) -> None:
    assert rig.telemetry.source is Source.WEB
    rig.phone.rest()
    rig.run(0.1)
    # A page at rest says nothing, and has left the wheel after a second.
    rig.phone.silent = True
    rig.run(1.5)
    # The second has pushed all the while: its turn begins at neutral.
    assert rig.stands()
    rig.other_phone.rest()
    rig.run(0.2)
    rig.other_phone.push()
    assert rig.drives()
    rig.other_phone.rest()
    rig.run(0.5)
    rig.other_phone.silent = True
    rig.run(1.2)
    rig.phone.silent = False
    rig.phone.rest()
    rig.run(0.2)
    rig.phone.push()
    assert rig.drives()


def _phone_asks_too(rig: FaultRig) -> None:
    rig.phone.push()
    rig.run(0.5)
    assert rig.telemetry.source is Source.GAMEPAD


def _let_the_phone_rest(rig: FaultRig) -> None:
    assert rig.stands_for(0.5)
    rig.phone.rest()
    rig.run(0.2)
    rig.phone.push()
    assert rig.drives()
    rig.phone.rest()
    rig.run(0.5)


def _lose_the_wheel(rig: FaultRig) -> None:
    rig.phone.silent = True


def _come_back_with_the_stick_held(rig: FaultRig) -> None:
    rig.run(1.5)
    rig.phone.silent = False
    assert rig.stands_for(0.5)


SOURCES = {
    "two-phones": (Trial(_second_phone_pushes, while_driving=_first_drives_on),),
    "pad-and-phone": (Trial(_let_go, _let_the_phone_rest, before=_phone_asks_too),),
    "source-returns": (Trial(_lose_the_wheel, _come_back_with_the_stick_held),),
}

TRIALS = PAD | PHONE | ESTOP | SOURCES
