"""What was found out last is kept, and no more than that."""

from palestra.envs.terminal.recent import Recent


def test_the_answers_that_were_asked_for_last_are_kept() -> None:
    recent = Recent[int](2)
    recent.put("a", 1)
    recent.put("b", 2)
    assert recent.get("a") == 1
    recent.put("c", 3)
    assert [recent.get(name) for name in "abc"] == [1, None, 3]
    recent.put("a", 4)
    assert recent.get("a") == 4
