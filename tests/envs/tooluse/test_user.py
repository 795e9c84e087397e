"""The user tells what they know when it is asked for by a name of it, one thing at a time, and not for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palestra.envs.tooluse.user import QUESTIONS, UNKNOWN, Talk, User, is_named, key_of, words_of

KNOWS = {"carrier|delivery service": "By Bluebox.", "order_id": "The one of March."}
USER = User.of(KNOWS, {"carrier": (), "carrier|delivery service": ("svc_carrierName",)})


@pytest.mark.parametrize(
    "about",
    [
        "carrier",
        "Carrier?",
        "the carrier",
        "Which carrier, please?",
        "What is your delivery service?",
        "delivery_service",
        "svc_carrierName",
        "DELIVERY-SERVICE",
    ],
)
def test_a_thing_is_asked_for_by_any_of_its_names(about: str) -> None:
    assert USER.answer(about, Talk())[0] == "By Bluebox."


@pytest.mark.parametrize(
    "about", ["", "?", "the", "carrier and order", "carrier carriers", "delivery", "carrier|order_id", "everything"]
)
def test_what_names_no_single_thing_is_not_answered(about: str) -> None:
    assert USER.answer(about, Talk()) == (UNKNOWN, Talk((), 1))


@pytest.mark.parametrize(("about", "name"), [("What name?", "name"), ("its value", "value"), ("the new id", "new_id")])
def test_a_name_of_weak_words_is_a_name(about: str, name: str) -> None:
    assert is_named(about, [name])
    assert not is_named("What is it?", [name])


def test_what_was_told_once_is_told_again_for_nothing() -> None:
    said, talk = USER.answer("carrier", Talk())
    assert talk == Talk(("carrier|delivery service",), 1)
    for about in ("carrier", "delivery service", "carrier"):
        assert USER.answer(about, talk) == (said, talk)


def test_a_user_does_not_listen_for_ever() -> None:
    talk = Talk()
    for number in range(QUESTIONS):
        assert USER.is_patient(talk)
        said, talk = USER.answer(f"thing {number}", talk)
        assert said == UNKNOWN
    assert not USER.is_patient(talk)
    assert USER.answer("carrier", talk)[0] == UNKNOWN


def test_who_knows_much_may_be_asked_all_of_it() -> None:
    user, talk = User.of({f"thing{n}": str(n) for n in range(9)}, {}), Talk()
    for number in range(9):
        said, talk = user.answer(f"thing{number}", talk)
        assert said == str(number)


def test_a_source_names_a_thing_by_its_key_or_its_first_name() -> None:
    assert [
        key_of(KNOWS, path) for path in ("carrier", "carrier|delivery service", "order_id", "delivery service")
    ] == [
        "carrier|delivery service",
        "carrier|delivery service",
        "order_id",
        "",
    ]


@given(st.text(), st.lists(st.text(), max_size=3))
def test_arbitrary_questions_never_raise(about: str, names: list[str]) -> None:
    assert is_named(about, names) is (bool(words_of(about)) and words_of(about) in [words_of(name) for name in names])
    said, talk = USER.answer(about, Talk())
    assert Talk.load(talk.dump()) == talk
    assert said in {UNKNOWN, *KNOWS.values()}
