"""A port that cannot be had is named with the reason, and with what to do."""

from __future__ import annotations

import socket

import pytest

from gptstudio.core.errors import Conflict, Invalid
from gptstudio.core.ports import check_port


def test_a_taken_port_is_told_apart_from_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"Port {port} on 127.0.0.1 is taken. Set PORT to another"):
            check_port("127.0.0.1", port, variable="PORT")
    check_port("127.0.0.1", port, variable="PORT")


@pytest.mark.parametrize("host", ["no-such-host.invalid", "192.0.2.1", "2001:db8::1", "::1%nowhere"])
def test_a_host_that_is_not_this_machine_is_not_called_a_taken_port(host) -> None:
    with pytest.raises(Invalid, match="no address of this machine") as refused:
        check_port(host, 0, variable="PORT")
    assert "taken" not in str(refused.value) and "HOST" in str(refused.value)


def test_an_address_of_the_sixth_version_can_be_had() -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    check_port("::1", 0, variable="PORT")
