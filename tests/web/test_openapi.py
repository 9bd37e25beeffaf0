"""The HTTP interface against its own description, by whatever schemathesis makes of it."""

import json
from pathlib import Path

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from rover.clock import ManualClock
from rover.messages import REMOTE_REQUESTS, Answer, RequestKind, Stop
from tests.builders import osr_config
from tests.web.fake_control import still_rover
from tests.web.rig import OnePicture, application
from tests.web.test_app import Client
from web.access import Access
from web.openapi import description
from web.remote import Remote

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
# What fits the description, and for requests with a body what does not.
OPERATIONS = [
    (method, path, mode)
    for path, methods in description()["paths"].items()
    for method in methods
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or method == "post"
]


def test_the_published_file_is_what_the_server_says():
    path = Path(__file__).parents[2] / "docs" / "openapi.json"
    assert json.loads(path.read_text()) == json.loads(msgspec.json.encode(description()))


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    """The application over a control that accepts and refuses in turn."""
    client, clock = Client(), ManualClock()
    remote = Remote(osr_config(), client, client, clock, OnePicture())
    access = Access(tmp_path_factory.mktemp("state"), clock)
    app = application(remote, access)
    yield app, access, client, clock, remote
    remote.close()


def test_every_request_of_the_interface_is_described(rig):
    app = rig[0]
    routes = {
        rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/api", "/healthz"))
    }
    kinds = {f"/api/{kind}" for kind in REMOTE_REQUESTS}
    assert set(description()["paths"]) == routes - {"/api/<name>"} | kinds


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS)
def test_whatever_is_sent_is_answered_as_described(rig, method, path, mode, has_key):
    app, access, client, clock, remote = rig
    headers = {"Authorization": f"Bearer {access.key}"} if has_key else {"Authorization": "x"}
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    client.asked.clear()
    client.sent.clear()
    statuses = set()

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(schema[path][method].as_strategy(generation_mode=mode))
    def hold(case):
        # Time enough for any number of requests.
        clock.sleep_s(1.0)
        remote.hub.show(msgspec.structs.replace(still_rover(), stamp_s=clock.now_s()))
        client.answer = Answer(len(client.asked) % 2 == 0, ("because",))
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)
        statuses.add(response.status_code)
        assert response.status_code < 500

    hold()
    if mode is GenerationMode.NEGATIVE and (has_key or path == "/api/stop"):
        assert 400 in statuses
    allowed = {RequestKind.STOP} if not has_key else set(REMOTE_REQUESTS)
    assert {kind for kind, _ in client.asked} <= allowed & {path.rpartition("/")[2]}
    assert all(isinstance(motion, Stop) for motion in client.sent)
