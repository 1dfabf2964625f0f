"""Mail folders as conversations."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage

from datasets_app.curation.readers import mbox
from datasets_app.curation.readers.mailtext import own_words
from datasets_app.curation.readers.upload import open_source
from datasets_app.curation.rows import Record

ALICE, DESK = "Alice Field <alice@care.example>", "Help Desk <help@shop.example>"


def mail(
    key: str, sender: str, text: str, *, answers: str = "", html: str = "", subject: str = "Parcel"
) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["Subject"], message["Message-ID"] = sender, subject, f"<{key}@x>"
    if answers:
        message["In-Reply-To"], message["References"] = f"<{answers}@x>", f"<root@y> <{answers}@x>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def folder(tmp_path, *messages):
    path = tmp_path / "inbox.mbox"
    box = mailbox.mbox(path)
    for message in messages:
        box.add(message)
    box.flush()
    box.close()
    return path


def read(path):
    return [found for found in open_source(path).records() if isinstance(found, Record)]


def test_a_thread_is_a_conversation_without_quotes_names_and_signatures(tmp_path):
    path = folder(
        tmp_path,
        mail("1", ALICE, "Hello,\nwhere is my parcel?\n\n-- \nAlice Field\nCare Ltd"),
        mail("9", "Dora <dora@care.example>", "Another matter", subject="Other"),
        mail(
            "2",
            DESK,
            "Hi Alice,\nit is on its way.\n\nOn Mon, 1 Jan 2024, Alice Field wrote:\n> where is my parcel?\n",
            answers="1",
            subject="Re: Parcel",
        ),
    )
    first, second = read(path)
    assert first.values["subject"] == "Parcel"
    assert [(turn["role"], turn["content"]) for turn in first.values["messages"]] == [
        ("user", "Hello,\nwhere is my parcel?"),
        ("assistant", "Hi User 1,\nit is on its way."),
    ]
    assert (first.line, first.values["thread"]) == (1, "1@x")
    assert second.line > first.line


def test_the_parts_of_a_thread_that_is_too_long_have_one_key(tmp_path, monkeypatch):
    monkeypatch.setattr(mbox, "MOST_IN_THREAD", 2)
    senders = [ALICE, DESK, ALICE, DESK]
    path = folder(tmp_path, *(mail(f"{n}", each, f"No {n}", answers=f"{n - 1}") for n, each in enumerate(senders)))
    assert [(found.values["thread"], len(found.values["messages"])) for found in read(path)] == [("0@x", 2)] * 2


def test_mail_in_html_alone_is_read_as_text(tmp_path):
    message = EmailMessage()
    message["From"], message["Message-ID"] = ALICE, "<1@x>"
    message.set_content("<p>Where is <b>it</b>?</p><blockquote><p>old</p></blockquote>", subtype="html")
    (found,) = read(folder(tmp_path, message))
    assert found.values["messages"][0]["content"] == "Where is it?"


def test_mail_in_an_old_encoding_is_decoded_by_its_own_header(tmp_path):
    message = EmailMessage()
    message["From"], message["Message-ID"] = ALICE, "<1@x>"
    message.set_content("Где мой заказ?", charset="koi8-r")
    (found,) = read(folder(tmp_path, message))
    assert found.values["messages"][0]["content"] == "Где мой заказ?"


def test_what_is_quoted_is_left_out_in_many_spellings():
    for quote in (
        "On 1 Jan 2024 at 10:00, A wrote:\n> x",
        "Am Montag, dem 1. Januar 2024 schrieb A:\n> x",
        "-----Original Message-----\nFrom: A\nx",
        "From: A <a@b.example>\nSent: Monday\nTo: B\nSubject: x\n\nold",
        "Sent from my phone",
        "-- \nA",
    ):
        assert own_words(f"New words.\n\n{quote}") == "New words."


def test_a_line_that_begins_with_from_stays_in_its_mail(tmp_path):
    (found,) = read(folder(tmp_path, mail("1", ALICE, "Hello.\nFrom here it is far.")))
    assert found.values["messages"][0]["content"] == "Hello.\nFrom here it is far."
