"""Posts that answer each other, as conversations without names."""

from __future__ import annotations

import itertools

import pytest

from datasets_app.curation.threads.posts import Post, conversations


def talk(*posts: Post, **options) -> list[list[tuple[str, str]]]:
    return [[(turn["role"], turn["content"]) for turn in found] for found in conversations(posts, **options)]


def test_a_tree_gives_one_conversation_for_each_way_to_a_last_post():
    found = talk(
        Post("1", None, "alice", "Why?"),
        Post("2", "1", "bob", "Because."),
        Post("3", "1", "charlie", "No idea."),
        Post("4", "2", "alice", "Thanks."),
    )
    assert found == [
        [("user", "Why?"), ("assistant", "No idea.")],
        [("user", "Why?"), ("assistant", "Because."), ("user", "Thanks.")],
    ]


def test_a_flat_thread_in_which_its_author_speaks_again_is_one_talk():
    found = talk(
        Post("1", "1", "alice", "It broke"),
        Post("2", "1", "bob", "Which part?"),
        Post("3", "1", "alice", "The lid"),
        Post("4", "1", "bob", "We send one"),
    )
    assert [[role for role, _text in each] for each in found] == [["user", "assistant", "user", "assistant"]]


def test_posts_in_a_row_by_one_author_are_one_turn():
    found = talk(Post("1", None, "a", "Hi"), Post("2", "1", "a", "Anyone?"), Post("3", "2", "b", "Yes"))
    assert found == [[("user", "Hi\n\nAnyone?"), ("assistant", "Yes")]]


def test_people_who_share_a_role_are_told_apart_by_pseudonyms():
    found = talk(Post("1", None, "a", "Why?"), Post("2", "1", "b", "So."), Post("3", "2", "c", "Or so."))
    assert found == [[("user", "Why?"), ("assistant", "Agent 1: So."), ("assistant", "Agent 2: Or so.")]]


def test_the_file_may_say_who_is_the_agent():
    found = talk(Post("1", None, "desk", "How can I help?", "assistant"), Post("2", "1", "x", "It broke"))
    assert found == [[("assistant", "How can I help?"), ("user", "It broke")]]


def test_names_and_handles_and_addresses_are_replaced_the_same_each_time():
    found = talk(
        Post("1", None, "Dora Field", "Hello", aliases=("dora@care.example", "dora_f")),
        Post("2", "1", "Bob Stone", "Hi Dora,\nask @dora_f or dora@care.example. Dora Field knows.\n\nBest, Bob"),
    )
    assert found[0][1][1] == "Hi User 1,\nask User 1 or User 1. User 1 knows.\n\nBest, Agent 1"


def test_a_first_name_that_is_a_word_stays_in_running_text():
    text = "The parcel will arrive on Monday and the mark on the lid is where the seal was, as you can see there."
    found = talk(Post("1", None, "Will Mark", "Where?"), Post("2", "1", "b", text))
    assert found[0][1][1] == text


@pytest.mark.parametrize("parents", [("2", "1"), ("1", "1"), ("9", "2")])
def test_circles_and_lost_parents_lose_no_post(parents):
    found = talk(Post("1", parents[0], "a", "one"), Post("2", parents[1], "b", "two"))
    assert {text for each in found for _role, text in each} == {"one", "two"}


def test_a_circle_with_a_way_out_of_it_loses_no_post():
    found = talk(Post("1", "2", "a", "one"), Post("2", "1", "b", "two"), Post("3", "2", "a", "three"))
    assert {text for each in found for _role, text in each} == {"one", "two", "three"}


def chain(length: int) -> list[Post]:
    return [Post(str(n), str(n - 1) if n else None, f"p{n % 2}", f"text {n}") for n in range(length)]


@pytest.mark.parametrize("length", [63, 64, 65, 127, 128, 5000])
def test_a_very_long_way_is_cut_into_windows_and_loses_no_post(length):
    found = talk(*chain(length))
    assert all(len(each) <= 64 for each in found)
    assert found[0][0][1] == "text 0" and found[-1][-1][1] == f"text {length - 1}"
    for before, after in itertools.pairwise(found):
        assert before[-1][1] == after[0][1], "the last post is the beginning of the next"
    assert {text for each in found for _role, text in each} == {f"text {n}" for n in range(length)}


def test_what_long_ways_share_comes_once():
    branches = [Post(f"b{n}", "99", "p0", f"branch {n}") for n in range(3)]
    found = talk(*chain(100), *branches)
    assert len(found) == 4 and sum(each[0][1] == "text 0" for each in found) == 1
    assert [each[-1][1] for each in found[1:]] == ["branch 0", "branch 1", "branch 2"]


def test_posts_that_share_an_id_are_all_told():
    found = talk(
        Post("1", None, "q", "Why?"),
        Post("2", "1", "a", "A one"),
        Post("2", "1", "b", "A two"),
        Post("3", "1", "c", "A three"),
        Post("4", "2", "q", "Thanks"),
    )
    assert [[text for _role, text in each] for each in found] == [
        ["Why?", "A two"],
        ["Why?", "A three"],
        ["Why?", "A one", "Thanks"],
    ]


def test_posts_without_authors_that_share_an_id_are_by_two_people_too():
    found = talk(Post("1", None, "", "Why?"), Post("2", "1", "", "A one"), Post("2", "1", "", "A two"))
    assert [[role for role, _text in each] for each in found] == [["user", "assistant"]] * 2
