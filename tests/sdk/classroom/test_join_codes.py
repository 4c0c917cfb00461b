"""What opens a class, and who is taken in: codes, names, tokens, and what is kept of them."""

from pathlib import Path

import pytest

from subnetlab.classroom.join_codes import CodeRefused, JoinCodes, new_code
from subnetlab.classroom.students import Students, checked_name
from subnetlab.errors import ClassError


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def students(tmp_path: Path) -> Students:
    return Students(tmp_path)


def test_codes_are_drawn_and_none_is_like_another() -> None:
    codes = {new_code() for _ in range(500)}
    assert len(codes) == 500
    assert {len(code) for code in codes} == {14}
    assert set("".join(codes)).isdisjoint("01IO")


def test_case_spaces_and_hyphens_do_not_count() -> None:
    codes = JoinCodes()
    code = codes.add(seconds=10, uses=1)
    assert codes.check(f" {code.lower().replace('-', ' ')} ").left == 1


def test_a_code_ends_with_its_time_and_with_its_students(students: Students) -> None:
    clock = Clock()
    codes = JoinCodes(clock=clock)
    code = codes.add(seconds=60, uses=2)
    students.join(codes.check(code), "Ada")
    students.join(codes.check(code), "Bo")
    with pytest.raises(CodeRefused, match="This class is full"):
        codes.check(code)
    own = codes.add(seconds=60, uses=1, name="Cy")
    clock.now += 60
    with pytest.raises(CodeRefused, match="This join code is over"):
        codes.check(own)
    codes.end()
    with pytest.raises(CodeRefused, match="not one of this class"):
        codes.check(own)


def test_a_code_of_ones_own_is_good_once_and_for_its_name(students: Students) -> None:
    codes = JoinCodes()
    code = codes.add(seconds=60, uses=1, name="Ada")
    with pytest.raises(CodeRefused, match="This join code is for Ada"):
        students.join(codes.check(code), "Bo")
    student, _ = students.join(codes.check(code), "")
    assert student.name == "Ada"
    with pytest.raises(CodeRefused, match="used already"):
        codes.check(code)


def test_a_name_is_there_once_and_can_be_shown(students: Students) -> None:
    code = JoinCodes()
    opened = code.check(code.add(seconds=60, uses=9))
    students.join(opened, "Ada")
    with pytest.raises(CodeRefused, match="ADA is in this class already"):
        students.join(opened, "ADA")
    for name in ("", "  ", "a" * 41, "a\x1b[2J", "a\u202eb"):
        with pytest.raises(ClassError, match="name"):
            checked_name(name)
    assert checked_name("  Ada   Lovelace ") == "Ada Lovelace"
    assert opened.left == 8


def test_keys_are_bound_once(students: Students) -> None:
    codes = JoinCodes()
    code = codes.add(seconds=60, uses=2)
    ada, _ = students.join(codes.check(code), "Ada")
    bo, _ = students.join(codes.check(code), "Bo")
    students.bind(ada, "cold", "hot")
    students.bind(ada, "cold", "hot")
    with pytest.raises(ClassError, match="another student's"):
        students.bind(bo, "cold", "other")
    with pytest.raises(ClassError, match="a wallet in this class already"):
        students.bind(ada, "cold2", "hot2")


def test_the_list_is_read_back_without_any_token(students: Students, tmp_path: Path) -> None:
    codes = JoinCodes()
    ada, token = students.join(codes.check(codes.add(seconds=60, uses=1)), "Ada")
    assert students.of_token(token) is ada
    again = Students(tmp_path)
    found = again.of_token(token)
    assert found == ada
    text = (tmp_path / "students.json").read_text()
    assert token not in text
    assert again.of_token("other") is None
    again.reset(ada)
    assert again.of_token(token) is None
    assert len(Students(tmp_path)) == 0
    new, _ = Students(tmp_path).join(codes.check(codes.add(seconds=60, uses=1)), "Ada")
    assert new.id == "s2"


def test_a_right_code_without_a_name_says_that_the_name_is_missing(students: Students) -> None:
    codes = JoinCodes()
    code = codes.add(seconds=60, uses=1)
    with pytest.raises(ClassError, match=r"your name is missing\. Give name="):
        students.join(codes.check(code), "")
    assert codes.check(code).left == 1
    assert students.join(codes.check(codes.add(seconds=60, uses=1, name="Cy")), "")[0].name == "Cy"
