"""What `subnetlab host` says at its start."""

import os
from pathlib import Path

import pytest

from subnetlab_kernel.hosting.__main__ import announce
from subnetlab_kernel.hosting.users import HostedUser

USERS = [
    HostedUser(name="anna", folder=Path("/a"), token="t1", uid=None),
    HostedUser(name="ben", folder=Path("/b"), token="t2", uid=None),
]


@pytest.mark.parametrize(("uid", "remedy"), [(0, "Leave out --one-account"), (1000, "Start as root")])
def test_the_way_to_keep_users_apart_is_one_that_is_left(
    uid: int, remedy: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    announce(8899, Path("/h"), USERS, separate=False, token_file=None)
    said = capsys.readouterr().out
    assert f"{remedy} to give each a system user." in said
    assert "t1" not in said.split()  # a log is no terminal: it names the file
    announce(8899, Path("/h"), USERS, separate=True, token_file=None)
    assert "system user" not in capsys.readouterr().out
