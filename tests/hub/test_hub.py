"""A class as a service of a real hub: a student's kernel on the hub joins it through the hub's port alone."""

import re
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from tests.hub.conftest import Hub, wait

import subnetlab as sl

pytestmark = [pytest.mark.long, pytest.mark.timeout(400)]


def test_a_students_kernel_joins_the_class_and_trains_through_the_hubs_port(
    hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    wait((hub.folder / "educator.token").exists, "open class", hub.log)
    wait(lambda: "join code: " in hub.log.read_text(), "join code", hub.log)
    found = re.search(r"join code: (\S+),", hub.log.read_text())
    assert found is not None
    at = f"{hub.url}/services/class"
    token = hub.start_server("ada")
    with sl.remote(f"{hub.url}/user/ada", token) as kernel:
        kernel.run(
            f"import subnetlab as sl\nnet = sl.connect({at!r}, code={found[1]!r}, name='Ada')\nprint(net)"
        )
        assert f"Ada in the class at {at}" in capsys.readouterr().out
        kernel.run("net.start_miner()")
        teacher = (hub.folder / "educator.token").read_text().strip()

        def rounds() -> int:
            request = Request(f"{at}/board/rows", headers={"X-SubnetLab-Token": teacher})
            with urlopen(request, timeout=300) as answer:
                told = re.search(rb'"rounds": (\d+), "standing": "works"', answer.read())
            return int(told[1]) if told else 0

        assert wait(rounds, "round of Ada", hub.log) > 0
        kernel.run("net.close()")


def test_a_token_of_one_student_opens_no_server_of_another(hub: Hub) -> None:
    hub.start_server("ben")
    token = str(hub.api("POST", "users/ada/tokens", {"note": "other"})["token"])
    request = Request(f"{hub.url}/user/ben/api/kernels", headers={"Authorization": f"token {token}"})
    with pytest.raises(HTTPError) as refused:
        urlopen(request, timeout=300)
    assert refused.value.code in (403, 404)
    refused.value.close()
