"""The step that hides personal data."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from datasets_app.curation.kinds import BY_NAME
from datasets_app.curation.layouts import ColumnMap
from datasets_app.curation.mapping import label_of
from datasets_app.curation.rows import Conversation, Message, Record, Rejection
from datasets_app.curation.steps import Candidate, Known
from datasets_app.curation.steps.personal_data import PersonalData

MAPPING = ColumnMap(layout="messages", messages="messages", speaker="author")


def step(**options):
    return PersonalData({**BY_NAME["personal_data"].defaults(), **options}, Known())


def row(*turns, label=False, **columns):
    messages = tuple(Message(role=role, content=text) for role, text in turns)
    found = Conversation(messages=messages, answer_is_label=label)
    return Candidate("a.csv", found, Record(row=4, line=None, values=columns), MAPPING)


def contents(outcome):
    return [message["content"] for message in outcome.messages]


def run(one, made):
    return made.run([one], Counter())[0]


def test_a_bare_answer_is_read_with_the_turn_before():
    one = row(("assistant", "What are the last four of your SSN?"), ("user", "4471"))
    assert contents(run(one, step())) == ["What are the last four of your SSN?", "[SSN]"]


def test_other_turns_are_context_even_where_only_the_user_s_are_hidden():
    one = row(("assistant", "Your account number? Mail help@example.com"), ("user", "4471"))
    assert contents(run(one, step(turns="user")))[0] == "Your account number? Mail help@example.com"
    assert contents(run(one, step(turns="user")))[1] == "[ACCOUNT]"


def test_a_column_s_name_tells_of_its_values_in_the_turns():
    one = row(("user", "I am Kivek, code ab-9 x"), ("assistant", "Hello Kivek Renar"), name="Kivek Renar", ssn="ab-9")
    assert contents(run(one, step())) == ["I am [PERSON], code [SSN] x", "Hello [PERSON]"]


def test_the_column_of_the_speaker_tells_nothing():
    one = row(("user", "the kettle is broken"), ("assistant", "Yes"), author="kettle")
    assert contents(run(one, step()))[0] == "the kettle is broken"


def test_a_name_and_an_address_are_hidden():
    one = row(("user", "I am Ewa Kowalska, 12 Mill Lane, Leeds LS1 4AB"), ("assistant", "Thank you."))
    assert contents(run(one, step(names=True))) == ["I am [PERSON], [ADDRESS]", "Thank you."]


def test_things_towns_and_ordinary_words_stay():
    one = row(
        ("user", "Clear skies! Does the Heron 130 reflector ship to Hamburg?"), ("assistant", "Grandad has no stamina.")
    )
    assert contents(run(one, step(names=True))) == [message["content"] for message in one.conversation.messages]


def test_names_that_the_policy_keeps_stay_and_are_traced():
    made = step(names=True, policy={"PERSON": "keep"})
    one = row(("user", "Ewa Kowalska asked for ann@example.com"), ("assistant", "Yes"))
    assert contents(run(one, made))[0] == "Ewa Kowalska asked for [EMAIL]"
    name, address = made.taken()
    assert (name["entity_type"], name["action"], name["source"]) == ("PERSON", "keep", "model")
    assert (address["entity_type"], address["action"]) == ("EMAIL_ADDRESS", "mask")


def test_without_the_tagger_shapes_and_words_alone_are_found():
    one = row(("user", "Ewa Kowalska wrote to ann@example.com"), ("assistant", "My name is Ewa Kowalska"))
    assert contents(run(one, step(names=False))) == ["Ewa Kowalska wrote to [EMAIL]", "My name is [PERSON]"]


def test_names_are_looked_for_unless_a_recipe_says_otherwise():
    one = row(("user", "Ewa Kowalska wrote to ann@example.com"), ("assistant", "Fine."))
    assert contents(run(one, step())) == ["[PERSON] wrote to [EMAIL]", "Fine."]


def test_a_denied_text_is_hidden_and_an_allowed_one_stays():
    one = row(("user", "project falcon, mail help@example.com"), ("assistant", "Yes"))
    made = step(deny=["Project Falcon"], allow=["help@example.com"])
    assert contents(run(one, made))[0] == "[PRIVATE], mail help@example.com"


def test_a_label_is_no_text():
    one = row(("user", "hi"), ("assistant", "ann@example.com"), label=True)
    assert contents(run(one, step()))[1] == "ann@example.com"


def test_a_row_that_the_policy_drops_leaves_its_traces_and_counts_nothing():
    made, counts = step(policy={"EMAIL_ADDRESS": "drop_row"}), Counter()
    outcome = made.run([row(("user", "ann@example.com 4111 1111 1111 1111"), ("assistant", "x"))], counts)[0]
    assert isinstance(outcome, Rejection) and "EMAIL_ADDRESS" in outcome.detail and not counts
    assert [trace["action"] for trace in made.taken()] == ["drop_row", "mask"]


def test_a_trace_says_where_and_what_and_never_the_value():
    made = step()
    run(row(("user", "ann@example.com has card 4111 1111 1111 1111, ok?"), ("assistant", "x")), made)
    mail, card = made.taken()
    assert made.taken() == []
    assert (card["file"], card["row"], card["turn"], card["role"], card["start"]) == ("a.csv", 4, 0, "user", 25)
    assert (card["before"], card["after"], card["first"]) == ("[EMAIL] has card ", ", ok?", "4")
    assert (card["action"], card["replacement"], card["source"]) == ("mask", "[CARD]", "recognizer")
    assert (mail["after"], mail["entity_type"]) == (" has card [CARD], ok?", "EMAIL_ADDRESS")
    assert "4111 1111" not in str(mail) + str(card) and "ann@" not in str(mail) + str(card)


def labelled(label: str, *, is_answer: bool = True, column: str = "label"):
    turns = (("user", "my parcel is late"), ("assistant", label if is_answer else "We look into it."))
    made = row(*turns, label=is_answer)
    found = replace(made.conversation, label=label_of(label))
    return replace(made, conversation=found, record=Record(row=4, line=None, values={column: label}))


@pytest.mark.parametrize(
    ("label", "hidden"),
    [("j.smith@acme.com", "[EMAIL]"), ("Sarah  Miller", "[PERSON]"), ("joy", "joy"), ("lost_card", "lost_card")],
)
def test_a_label_that_names_somebody_is_hidden_with_its_answer(label, hidden):
    found = run(labelled(label), step(names=True))
    assert (contents(found)[-1], found.label) == (hidden, hidden)


def test_a_label_beside_the_answer_is_hidden_too_and_drops_its_row_where_the_policy_says_so():
    one = labelled("j.smith@acme.com", is_answer=False)
    assert run(one, step()).label == "[EMAIL]" and contents(run(one, step()))[-1] == "We look into it."
    assert isinstance(run(one, step(policy={"EMAIL_ADDRESS": "drop_row"})), Rejection)


def test_a_column_of_people_makes_its_labels_people():
    assert run(labelled("Kivek", column="agent name"), step()).label == "[PERSON]"
