"""Truth and faults as they go over the socket."""

import pytest

from rover.errors import BadMessageError
from rover.hardware.bus.endpoint import FrameBuffer
from rover.sim import truth
from tests.sim.rig import Rig

FAULTS = [
    truth.PressStop(True),
    truth.SetBatteryCharge(0.5),
    truth.SetBatteryVoltage(13.0),
    truth.Silence(0x80),
    truth.InjectStatus(0x80, 1 << 29),
    truth.SetTemperature(0x80, 90.0),
    truth.PowerCycle(0x80),
    truth.SetFirmware(0x80, truth.Dialect.NEWER),
    truth.LockWheel("left_front"),
    truth.UnplugI2c(0x45),
    truth.SetEncoder("left_front", truth.EncoderState.DEAD),
    truth.NackI2c(0x40, 2),
    truth.OffsetPower(-1.5),
    truth.CutSerial(),
    truth.ShortenReplies(0x81, 3),
    truth.ShortenReplies(0x81, None),
    truth.CorruptBytes(share=0.1),
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
