"""Truth and faults as they go over the socket."""

import pytest

from rover.errors import BadMessageError
from rover.hardware.bus.endpoint import FrameBuffer
from rover.sim import faults, truth
from tests.sim.rig import Rig

FAULTS = [
    faults.PressStop(True),
    faults.SetBatteryCharge(0.5),
    faults.SetBatteryVoltage(13.0),
    faults.Silence(0x80),
    faults.InjectStatus(0x80, 1 << 29),
    faults.SetTemperature(0x80, 90.0),
    faults.PowerCycle(0x80),
    faults.SetFirmware(0x80, faults.Dialect.NEWER),
    faults.LockWheel("left_front"),
    faults.UnplugI2c(0x45),
    faults.SetEncoder("left_front", faults.EncoderState.DEAD),
    faults.NackI2c(0x40, 2),
    faults.OffsetPower(-1.5),
    faults.CutSerial(),
    faults.ShortenReplies(0x81, 3),
    faults.ShortenReplies(0x81, None),
    faults.CorruptBytes(share=0.1),
]


@pytest.mark.parametrize("request_", [truth.ReadTruth(), *FAULTS])
def test_a_request_survives_the_way(request_) -> None:
    (payload,) = FrameBuffer().feed(truth.encode_request(request_))
    assert truth.decode_request(payload) == request_


def test_the_whole_truth_fits_into_a_frame() -> None:
    (payload,) = FrameBuffer().feed(truth.encode_reply(Rig().truth))
    assert b"left_middle" in payload


@pytest.mark.parametrize("payload", [b"", b"\x00", b"\x81\xa4type\xa5drive", b"\xff" * 40])
def test_nonsense_is_refused(payload) -> None:
    with pytest.raises(BadMessageError):
        truth.decode_request(payload)
