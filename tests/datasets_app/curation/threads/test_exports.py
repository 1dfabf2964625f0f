"""Exports of forums, chats and tickets, read as people get them."""

from __future__ import annotations

import json

import pytest

from datasets_app.curation.detect import detect
from datasets_app.curation.layouts import guess_mapping
from datasets_app.curation.mapping import map_record
from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Conversation, Record
from datasets_app.curation.threads import tables
from datasets_app.curation.turns import joined


def talks(path) -> list[Conversation]:
    """Every conversation of a file, its columns guessed."""
    source = open_source(path)
    sample = [record for record in source.records() if isinstance(record, Record)][:200]
    records, mapping = joined(source.records(), guess_mapping(sample))
    found = [map_record(record, mapping, system_prompt="") for record in records if isinstance(record, Record)]
    return [each for each in found if isinstance(each, Conversation)]


def lines(*objects: object) -> str:
    return "".join(json.dumps(each) + "\n" for each in objects)


def turns(conversation: Conversation) -> list[tuple[str, str]]:
    return [(turn["role"], turn["content"]) for turn in conversation.messages]


def test_a_forum_with_parent_ids_in_any_order(write):
    path = write(
        "forum.csv",
        "post_id,parent_id,author,body\n12,10,bob,Try again\n10,,alice,It fails\n13,12,alice,Works now\n"
        "20,,charlie,Where is it?\n21,20,bob,Here\n",
    )
    found = talks(path)
    assert [turns(each) for each in found] == [
        [("user", "It fails"), ("assistant", "Try again")],
        [("user", "Where is it?"), ("assistant", "Here")],
    ]
    assert [each.groups for each in found] == [("thread=10",), ("thread=20",)]
    assert detect(path)["layout"] == "thread"


def test_turns_in_the_order_of_their_times_with_the_newest_first(write):
    path = write(
        "chat.csv",
        "ticket_id,sender,message,created_at\n2,agent,Here,01/02/2024 8:00 AM\n1,agent,Try again,01/01/2024 9:00 AM\n"
        "2,customer,Where is it?,01/01/2024 1:00 AM\n1,customer,It fails,12/31/2023 11:00 PM\n",
    )
    assert [turns(each) for each in talks(path)] == [
        [("user", "Where is it?"), ("assistant", "Here")],
        [("user", "It fails"), ("assistant", "Try again")],
    ]


def test_posts_stand_in_the_order_of_their_dates_and_not_of_their_spelling(write):
    path = write(
        "forum.csv",
        'post_id,parent_id,author,body,date\n1,,alice,It fails,"Fri, 29 Dec 2023 10:00:00 GMT"\n'
        '3,1,alice,Works now,"Tue, 02 Jan 2024 10:00:00 GMT"\n2,1,bob,Try again,"Mon, 01 Jan 2024 10:00:00 GMT"\n'
        '4,1,bob,Good,"Wed, 03 Jan 2024 10:00:00 GMT"\n',
    )
    (found,) = talks(path)
    assert [text for _role, text in turns(found)] == ["It fails", "Try again", "Works now", "Good"]


def test_the_parts_of_a_thread_that_is_too_long_have_one_group(write, monkeypatch):
    monkeypatch.setattr(tables, "LARGEST", 2)
    rows = "".join(f"{number},{number - 1 or ''},{'ab'[number % 2]},text {number}\n" for number in range(1, 5))
    found = talks(write("forum.csv", f"post_id,parent_id,author,body\n{rows}"))
    assert [each.groups for each in found] == [("thread=1",)] * 2


def test_a_chat_room_with_thread_times(write):
    path = write(
        "room.jsonl",
        lines(
            {"type": "message", "user": "U01", "ts": "1.0", "thread_ts": "1.0", "text": "Printer is down"},
            {"type": "message", "user": "U02", "ts": "2.0", "thread_ts": "1.0", "text": "<@U01> which floor?"},
            {"type": "message", "user": "U01", "ts": "3.0", "thread_ts": "1.0", "text": "Second"},
            {"type": "message", "user": "U02", "ts": "4.0", "thread_ts": "1.0", "text": "Fixed"},
            {"type": "message", "user": "U03", "ts": "9.0", "text": "Lunch?"},
        ),
    )
    (found,) = talks(path)
    assert turns(found) == [
        ("user", "Printer is down"),
        ("assistant", "User 1 which floor?"),
        ("user", "Second"),
        ("assistant", "Fixed"),
    ]


def test_social_media_says_who_is_the_customer(write):
    path = write(
        "tweets.csv",
        "tweet_id,author_id,inbound,created_at,text,in_response_to_tweet_id\n"
        "1,115712,True,2017-10-31,@shop my order is late,\n"
        "2,shop,False,2017-10-31,@115712 Which order?,1\n3,115712,True,2017-10-31,@shop number 7,2\n"
        "4,shop,False,2017-10-31,@115712 It is on its way,3\n",
    )
    (found,) = talks(path)
    assert [role for role, _text in turns(found)] == ["user", "assistant", "user", "assistant"]
    assert "115712" not in found.text() and "@shop" not in found.text()


def test_a_discussion_with_comments_inside_comments(write):
    comments = [
        {"author": "bob", "body": "Reset it", "replies": [{"author": "alice", "body": "Did", "replies": []}]},
        {"author": "charlie", "body": "Buy another"},
    ]
    path = write(
        "discussion.json",
        json.dumps([{"id": 1, "title": "Broken", "body": "It broke", "author": "alice", "comments": comments}] * 2),
    )
    found = talks(path)
    assert [("user", "Broken\n\nIt broke"), ("assistant", "Buy another")] in [turns(each) for each in found]
    assert detect(path)["layout"] == "nested"


def test_tickets_with_their_comments(write):
    ticket = {
        "id": 7,
        "subject": "Late",
        "comments": [
            {"author": {"name": "Dora", "role": "end-user"}, "body": "Where is it?"},
            {"author": {"name": "Desk", "role": "agent"}, "body": "On its way."},
            {"author": {"name": "Dora", "role": "end-user"}, "body": "Thanks, Desk"},
        ],
    }
    (found,) = talks(write("tickets.json", json.dumps({"tickets": [ticket]}, indent=1)))
    assert [role for role, _text in turns(found)] == ["user", "assistant"]
    assert found.messages[0]["content"].endswith("Where is it?")


def test_dialogues_as_pairs_of_speaker_and_text(write):
    talk = [["agent", "Hi!"], ["customer", "It is late"], ["action", "Account found"], ["agent", "We look"]]
    (found,) = talks(write("abcd.json", json.dumps([{"convo_id": 1, "original": talk}])))
    assert [role for role, _text in turns(found)] == ["assistant", "user", "tool", "assistant"]
    assert found.groups == ("convo_id=1",)


def test_questions_nested_in_paragraphs(write):
    paragraph = {
        "context": "The lid is red.",
        "qas": [
            {"question": "Which colour?", "answers": [{"text": "red"}]},
            {"question": "Which size?", "answers": []},
        ],
    }
    path = write("squad.json", json.dumps({"version": "1.1", "data": [{"title": "Lids", "paragraphs": [paragraph]}]}))
    (found,) = talks(path)
    assert turns(found) == [("user", "Which colour?\n\nThe lid is red."), ("assistant", "red")]
    assert found.groups == ("title=Lids",)


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("dialogues/taubench_retail_transcripts.jsonl", 69),
        ("dialogues/abcd_sample.json", 3),
        ("multilingual/xquad.es.json", 1190),
        ("multilingual/xquad.zh.json", 1190),
    ],
)
def test_real_exports_become_conversations(real_data, name, least):
    found = talks(real_data / name)
    assert len(found) == least
    assert all(each.messages[-1]["role"] == "assistant" for each in found)


def day(number: int) -> str:
    return f"2024-01-{number:02}T10:00:00"


def test_what_was_said_in_a_channel_on_one_day_is_a_conversation(write):
    bold = {"type": "bold", "text": "x"}
    said = [
        {
            "id": 4 * each + turn,
            "date": day(each),
            "from": ["Bob", "Amy"][turn % 2],
            "text": [f"Text {each}.{turn} ", bold],
        }
        for each in range(1, 19)
        for turn in range(4)
    ]
    found = talks(write("result.json", json.dumps({"name": "Amy", "messages": said})))
    assert len(found) == 18 and len({each.groups for each in found}) == 18
    assert turns(found[0])[0] == ("user", "Text 1.0 x")


def test_what_people_said_to_chatgpt_and_to_claude(write):
    def node(own, parent, role, text, **more):
        message = {"author": {"role": role}, "content": {"content_type": "text", "parts": [text]}, **more}
        return {"id": own, "parent": parent, "children": [], "message": message}

    tree = {
        "a": {"id": "a", "parent": None, "children": ["b"], "message": None},
        "b": node("b", "a", "user", "How do I reset it?"),
        "c": node("c", "b", "assistant", "search()", recipient="browser"),
        "d": node("d", "c", "tool", "a page"),
        "e": node("e", "d", "assistant", "Hold the button."),
        "f": node("f", "b", "assistant", "Read the manual."),
    }
    found = talks(write("conversations.json", json.dumps([{"title": "Reset", "mapping": tree}, {"mapping": tree}])))
    asked = ("user", "How do I reset it?")
    assert [turns(each) for each in found[:2]] == [
        [asked, ("assistant", "Hold the button.")],
        [asked, ("assistant", "Read the manual.")],
    ]
    assert found[0].groups == found[1].groups != found[2].groups
    chat = [
        {"uuid": "m1", "sender": "human", "text": "Why?"},
        {"uuid": "m2", "sender": "assistant", "text": "Because."},
    ]
    (other,) = talks(write("claude.json", json.dumps([{"uuid": "c1", "name": "x", "chat_messages": chat}])))
    assert turns(other) == [("user", "Why?"), ("assistant", "Because.")] and other.groups == ("thread=c1",)


def test_what_messengers_export_is_read_by_its_days_whatever_the_names(write):
    talk = "".join(
        f"{each}/3/24, 10:00 PM - Messages are encrypted.\n" * (each == 1)
        + f"{each}/3/24, 10:00 PM - +1 (555) 010-9999: Is size {each} in stock?\nIn blue?\n"
        + f"\u200e{each}/3/24, 10:05\u202fPM - Corner Shop: Yes, size {each} is.\n"
        for each in range(1, 5)
    )
    path = write("chat.txt", talk)
    found = talks(path)
    assert len(found) == 4 and detect(path)["layout"] == "transcript"
    assert turns(found[0]) == [("user", "Is size 1 in stock?\nIn blue?"), ("assistant", "Yes, size 1 is.")]


def test_tickets_in_a_table_whose_speakers_are_told_by_a_direction_or_by_names_alone(write):
    rows = "".join(
        f"{each},incoming,amy{each}@x.example,Where is parcel {each}?,2024-01-01\n{each},outgoing,shop@x.example,Here.,2024-01-02\n"
        for each in range(6)
    )
    by_direction = talks(write("tickets.csv", f"Ticket ID,Message Type,From,Body,Created At\n{rows}"))
    assert len(by_direction) == 6
    assert turns(by_direction[2]) == [("user", "Where is parcel 2?"), ("assistant", "Here.")]
    rows = "".join(
        f"{each},Amy Li,Hi Bob\n{each},Bob Ray,Hello Amy\n{each},Amy Li,It broke\n{each},Bob Ray,Oh\n" for each in "abc"
    )
    path = write("chat.csv", f"chat_id,author,text\n{rows}")
    by_name = talks(path)
    assert [role for role, _text in turns(by_name[0])] == ["user", "assistant", "user", "assistant"]
    assert "Bob" not in by_name[0].text() and detect(path)["layout"] == "turns"


def test_a_ticket_that_says_apart_how_it_began(write):
    ticket = {
        "id": 1,
        "source": {"body": "Where is it?", "author": {"type": "user", "name": "Amy"}},
        "conversation_parts": {
            "conversation_parts": [{"body": "On its way.", "author": {"type": "admin", "name": "Bo"}}],
            "total_count": 1,
        },
    }
    (found,) = talks(write("tickets.jsonl", lines(ticket)))
    assert turns(found) == [("user", "Where is it?"), ("assistant", "On its way.")]
