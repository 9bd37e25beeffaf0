"""The doctor's page: what the web server sees of its computer, and what control says."""

import threading

from flask import Blueprint, Response, render_template
from werkzeug.exceptions import ServiceUnavailable

from calibration.doctor.finding import REPORT_VERSION, Report, Verdict, counted
from calibration.doctor.from_afar import FROM_AFAR
from calibration.doctor.surroundings import this_computer
from calibration.doctor.walk import walk
from rover.messages import Telemetry
from web.access import Access
from web.api import json_response
from web.pairing import locked, paired
from web.remote import Remote

# Telemetry older than this is not what the rover does now.
_FRESH_S = 0.5
# The walk starts a dozen small programs: whoever asks again at once gets the same report.
_GOOD_FOR_S = 2.0
_WAIT_S = 1.0
_WORDS = {
    Verdict.OK: "ok",
    Verdict.SKIPPED: "skipped",
    Verdict.WARN: "look",
    Verdict.FAIL: "fail",
}


class Doctor:
    """Walks when it is asked to, one walk at a time."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._lock = threading.Lock()
        self._report: Report | None = None
        self._walked_s = 0.0

    def report(self) -> Report:
        """Return what is found now, or was a moment ago. Raises ServiceUnavailable.

        Threads are few: where a walk hangs, only one of them waits for it, not all.
        """
        clock = self._remote.clock
        if not self._lock.acquire(timeout=_WAIT_S):
            raise ServiceUnavailable("the doctor is still on its way: ask again in a moment")
        try:
            if self._report is None or clock.now_s() - self._walked_s > _GOOD_FOR_S:
                self._report = self._walk()
                self._walked_s = clock.now_s()
            return self._report
        finally:
            self._lock.release()

    def _walk(self) -> Report:
        telemetry = self._telemetry()
        here = this_computer(self._remote.config, "", telemetry)
        findings = tuple(walk(here, FROM_AFAR))
        return Report(REPORT_VERSION, here.unix_s(), telemetry is not None, findings)

    def _telemetry(self) -> Telemetry | None:
        age_s = self._remote.hub.age_s()
        return self._remote.hub.telemetry if age_s is not None and age_s <= _FRESH_S else None


def blueprint(remote: Remote, access: Access) -> Blueprint:
    """Return /doctor and /api/doctor over ``remote``, for paired devices alone."""
    diagnosis = Blueprint("diagnosis", __name__)
    doctor = Doctor(remote)

    @diagnosis.get("/doctor")
    def page() -> Response:
        if access.visitor() is None:
            return locked()
        report = doctor.report()
        # What needs a hand first; within a verdict the order of the walk.
        order = (Verdict.FAIL, Verdict.WARN, Verdict.OK, Verdict.SKIPPED)
        groups = [
            (verdict, [finding for finding in report.findings if finding.verdict is verdict])
            for verdict in order
        ]
        counts = counted(report.findings)
        told = ", ".join(f"{counts[verdict]} {_WORDS[verdict]}" for verdict in order)
        response = Response(
            render_template(
                "doctor.html",
                groups=[group for group in groups if group[1]],
                words=_WORDS,
                told=told,
                by_control=report.by_control,
            )
        )
        response.headers["Cache-Control"] = "no-store"
        return response

    @diagnosis.get("/api/doctor")
    def report() -> Response:
        paired(access)
        return json_response(doctor.report())

    return diagnosis
