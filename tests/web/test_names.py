import socket

import pytest

from web.names import HostNames


@pytest.fixture
def names(monkeypatch):
    monkeypatch.setattr(socket, "gethostname", lambda: "Opportunity.lan")
    return HostNames(["rover.example"])


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:8080",
        "opportunity.lan:8080",
        "OPPORTUNITY",
        "opportunity.local",
        "opportunity.local.",
        "rover.example:80",
        "192.168.1.5",
        "192.168.1.5:8080",
        "[::1]:8080",
        "[fe80::1]",
    ],
)
def test_the_rovers_own_names_and_every_address_fit(names, host):
    assert names.fits(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "evil.example:8080",
        "rover.example.evil.com",
        "local",
        "192.168.1.5.nip.io",
        "localhost:80:80",
        "[::1",
        "192.168.1",
        ":8080",
        "rover.example@evil.com",
    ],
)
def test_other_names_do_not(names, host):
    assert not names.fits(host)
