"""When people are told: cool-down, repeating, resolving, the bound of messages, and what a checkpoint knows."""

from __future__ import annotations

import json

from tailrace.connectors.alert.board import MINUTE, Alert, Board, Manners, Notice


def alert(key: str = "a", title: str = "card a") -> Alert:
    """Make an alert."""
    return Alert(key, "warning", title, "", "", {"card": key})


def told(notice: Notice | None) -> tuple[str, bool, int, int] | None:
    """Give the parts of a message that the rules decide about."""
    return None if notice is None else (notice.alert.key, notice.resolved, notice.same, notice.others)


def test_a_key_is_told_of_once_until_it_has_cooled_down() -> None:
    board = Board(Manners(cool_down=100))
    assert told(board.raised(alert(), 0, stands=False)) == ("a", False, 0, 0)
    assert board.raised(alert(), 50, stands=False) is None
    assert told(board.raised(alert("b"), 60, stands=False)) == ("b", False, 0, 0)
    assert board.raised(alert(), 99, stands=False) is None
    assert told(board.raised(alert(), 100, stands=False)) == ("a", False, 2, 0)


def test_an_alert_ends_when_its_row_goes() -> None:
    """And only if people were told that it is there."""
    board = Board(Manners(cool_down=100))
    board.raised(alert(), 0, stands=True)
    assert told(board.ended("a", 10)) == ("a", True, 0, 0)
    assert board.ended("a", 11) is None
    assert board.ended("b", 12) is None


def test_an_alert_that_comes_and_goes_is_not_told_of_each_time() -> None:
    """When it stands after the cool-down it is."""
    board = Board(Manners(cool_down=100))
    board.raised(alert(), 0, stands=True)
    board.ended("a", 10)
    assert board.raised(alert(), 20, stands=True) is None
    assert board.ended("a", 30) is None
    assert board.raised(alert(), 40, stands=True) is None
    assert board.due(99) == []
    assert [told(n) for n in board.due(100)] == [("a", False, 2, 0)]
    assert told(board.ended("a", 110)) == ("a", True, 0, 0)


def test_a_standing_alert_is_repeated() -> None:
    board = Board(Manners(cool_down=10, repeat=100))
    board.raised(alert(), 0, stands=True)
    board.raised(alert("event"), 0, stands=False)
    assert board.due(99) == []
    assert [n.alert.key for n in board.due(100)] == ["a"]
    assert board.due(150) == []
    board.ended("a", 160)
    assert board.due(1000) == []


def test_no_more_messages_a_minute_than_wanted() -> None:
    """Events beyond are counted in the next message; what stands is told of as soon as there is room."""
    board = Board(Manners(cool_down=1, rate=2))
    found = [board.raised(alert(str(i)), i, stands=False) for i in range(5)]
    assert [n is not None for n in found] == [True, True, False, False, False]
    assert board.raised(alert("standing"), 10, stands=True) is None
    assert board.due(20) == []
    assert [told(n) for n in board.due(MINUTE)] == [("standing", False, 0, 3)]


def test_a_checkpoint_knows_all() -> None:
    """After a restart nothing is told of again, and numbers go on."""
    board = Board(Manners(cool_down=100, rate=3))
    ids = [n.id for i in range(3) if (n := board.raised(alert(str(i)), 0, stands=True)) is not None]
    board.raised(alert("more"), 1, stands=False)
    after = Board(Manners(cool_down=100, rate=3))
    after.load(json.loads(json.dumps(board.as_json())))

    assert after.raised(alert("1"), 50, stands=True) is None
    assert told(after.ended("2", 60)) == ("2", True, 0, 0)
    again = after.raised(alert("new"), MINUTE, stands=True)
    assert told(again) == ("new", False, 0, 1)
    assert again is not None
    assert again.id not in ids


def test_keys_are_forgotten() -> None:
    """Those that are over and have cooled down."""
    board = Board(Manners(cool_down=100, rate=0))
    for i in range(1000):
        board.raised(alert(str(i)), i, stands=i % 2 == 0)
    board.due(2000)
    assert len(board.as_json()["known"]) == 500


def test_a_notice_as_json() -> None:
    notice = Notice("1", 2, alert(), resolved=True, same=3, others=4)
    assert Notice.of_json(json.loads(json.dumps(notice.as_json()))) == notice
