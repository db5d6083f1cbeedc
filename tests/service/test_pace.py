"""Looks at the whole fleet rest for several times what they took, so that the core's thread is left to the calls."""

from __future__ import annotations

from backend.service.pace import Held, Pace


def test_a_look_rests_for_as_many_times_its_length_and_not_a_moment_longer() -> None:
    pace = Pace(10.0)
    assert pace.is_due(0.0)
    pace.took(100.0, 100.5)
    assert not pace.is_due(105.4)
    assert pace.is_due(105.5)


def test_a_clock_that_stands_still_holds_nobody_up() -> None:
    pace = Pace(10.0)
    pace.took(7.0, 7.0)
    assert pace.is_due(7.0)


def test_an_answer_is_given_again_while_it_rests_and_only_to_the_same_question() -> None:
    now, asked = [0.0], []

    def ask() -> str:
        asked.append(now[0])
        now[0] += 1.0
        return f"answer of {asked[-1]:.0f}"

    held: Held[str] = Held()
    assert held.get("a", lambda: now[0], ask) == "answer of 0"
    now[0] = 4.9
    assert held.get("a", lambda: now[0], ask) == "answer of 0"
    assert held.get("b", lambda: now[0], ask) == "answer of 5", "the rotation has moved"
    now[0] += 4.0
    assert held.get("b", lambda: now[0], ask) == "answer of 10", "it has rested four times its length"
