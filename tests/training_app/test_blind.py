"""Blind comparisons: nobody learns whose answer is whose before the end, and the results are counted as they say."""

from __future__ import annotations

import random

import pytest

from gptstudio.accounts import services as accounts
from gptstudio.accounts.policies import system
from gptstudio.accounts.selectors import actor_of_member, membership
from gptstudio.accounts.services import issue_key
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.worlds import finish_job, make_dataset, make_job, make_version, write_answers
from training_app import selectors, services
from training_app.engine.agreement import agreement
from training_app.models import BlindJudgement
from training_app.services.judging import _together

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/blind-comparisons"


@pytest.fixture
def version(as_alice, studio_home):
    return make_version(as_alice, dataset=make_dataset(as_alice)[0])


@pytest.fixture
def evaluation(as_alice, version, starter, tmp_path):
    return finish_job(make_job(as_alice, version=version, base=starter), folder=tmp_path / "made").evaluation


@pytest.fixture
def comparison(as_alice, workspace, evaluation):
    return services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, rows=10)


def choose(actor, comparison, number: int, side: str) -> BlindJudgement:
    """Choose the model on that side, wherever it stands for this judge."""
    turn = next(each for each in comparison.turns_of(actor.user_id) if each.number == number)
    shown = next(each for each in ("left", "right", "tie") if turn.choice(each) == side)
    return services.judge(actor, comparison=comparison, number=number, shown=shown)


def test_each_judge_has_an_own_order_and_sides_drawn_by_lot(comparison, alice, bob) -> None:
    mine, theirs = comparison.turns_of(alice.id), comparison.turns_of(bob.id)
    assert sorted(turn.number for turn in mine) == list(range(10)) and mine == comparison.turns_of(alice.id)
    assert mine != theirs
    many = [turn for number in range(100) for turn in comparison.turns_of(f"user_{number}")]
    assert 0.4 < sum(turn.is_swapped for turn in many) / len(many) < 0.6


def test_results_are_told_only_once_it_has_ended(as_alice, comparison) -> None:
    for number in range(8):
        choose(as_alice, comparison, number, "second")
    choose(as_alice, comparison, 8, "first")
    choose(as_alice, comparison, 9, "tie")
    assert services.results_of(comparison) is None
    results = services.results_of(services.end_comparison(as_alice, comparison=comparison))
    assert (results["first"], results["second"], results["ties"], results["judges"]) == (1, 8, 1, 1)
    assert results["preference"]["said"] == "second" and results["preference"]["difference"] == pytest.approx(0.7)
    assert results["agreement"] == {"rows": 0, "share": None, "kappa": None, "name": ""}
    with pytest.raises(Conflict, match="has ended"):
        choose(as_alice, comparison, 0, "first")


def test_rows_that_belong_together_are_one_opinion_and_are_told_so(
    client, alice, as_alice, workspace, evaluation
) -> None:
    write_answers(evaluation, groups=4)
    made = services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, rows=10)
    for number in range(10):
        choose(as_alice, made, number, "second")
    results = services.results_of(services.end_comparison(as_alice, comparison=made))
    assert (results["rows"], results["groups"], results["preference"]["difference"]) == (10, 4, 1.0)
    assert results["preference"]["said"] == "no_difference" and results["preference"]["too_few"]
    assert "g0" not in str(made.groups), "no name of a group is kept"
    client.force_login(alice)
    told = client.get(f"/blind/{made.id}/").content.decode()
    assert "on 10 test rows in 4 groups of rows that belong together" in told
    assert "Fewer than six groups of rows that belong together tell them apart" in told


def test_rows_are_joined_by_the_groups_of_either_data_set() -> None:
    rows = [[0, 3], [1, 2], [2, 1], [3, 0], [4, 4]]
    joined = _together(rows, first=["a", "b", "a", "c", "d"], second=["v", "w", "x", "x", "y"])
    # the first and third by a, the first and second by x
    assert joined[0] == joined[1] == joined[2] and len(set(joined)) == 3


def test_a_comparison_of_an_earlier_release_counts_rows(as_alice, comparison) -> None:
    comparison.groups = []
    comparison.save(update_fields=["groups"])
    for number in range(8):
        choose(as_alice, comparison, number, "second")
    results = services.results_of(services.end_comparison(as_alice, comparison=comparison))
    assert (results["groups"], results["preference"]["said"]) == (8, "second")


def test_a_choice_may_be_changed_and_counts_once(as_alice, comparison) -> None:
    choose(as_alice, comparison, 3, "first")
    choose(as_alice, comparison, 3, "tie")
    assert [each.choice for each in BlindJudgement.objects.all()] == ["tie"]


def test_agreement_is_counted_where_two_judged(as_alice, as_bob, comparison) -> None:
    for number in range(10):
        choose(as_alice, comparison, number, "second" if number < 5 else "first")
        choose(as_bob, comparison, number, "second" if number < 4 else "first")
    results = services.results_of(services.end_comparison(as_alice, comparison=comparison))
    assert results["preference"]["said"] == "no_difference"
    # nine of ten alike; by chance .5 * .4 + .5 * .6
    assert results["agreement"] == {"rows": 10, "share": 0.9, "kappa": pytest.approx(0.8), "name": "Cohen's kappa"}


def test_agreement_of_three_is_fleiss_kappa() -> None:
    generator = random.Random(0)
    rows = [dict(zip("abc", generator.choices(["x", "y"], k=3), strict=True)) for _ in range(400)]
    by_chance = agreement(rows)
    assert by_chance.name == "Fleiss' kappa" and abs(by_chance.kappa or 1) < 0.1
    alike = agreement([{"a": choice, "b": choice, "c": choice} for choice in "xyxyxyxyxyxy"])
    assert alike.kappa == pytest.approx(1.0) and alike.share == 1.0
    assert agreement([{"a": "x", "b": "y"}] * 9).kappa is None  # too few rows
    assert agreement([{"a": "x", "b": "x"}] * 12).kappa is None  # chance would always agree


def test_two_fine_tunes_meet_on_the_rows_that_both_answered(
    as_alice, workspace, version, starter, evaluation, tmp_path
) -> None:
    job = make_job(as_alice, version=version, base=starter, name="Other")
    other = finish_job(job, folder=tmp_path / "other").evaluation
    with pytest.raises(Conflict, match="0 test rows in common whose answers differ"):
        services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, against=other)
    write_answers(other, tuned="It is here.")
    made = services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, against=other)
    assert (made.first_side, made.second_side, len(made.rows)) == ("tuned", "tuned", 10)
    assert str(made) == "Refunds against Other"
    with pytest.raises(Invalid, match="with itself"):
        services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, against=evaluation)


@pytest.mark.parametrize("rows", [4, 201])
def test_a_number_of_rows_that_cannot_be_judged_is_refused(as_alice, workspace, evaluation, rows: int) -> None:
    with pytest.raises(Invalid, match="cannot be judged"):
        services.start_comparison(as_alice, workspace_id=workspace.id, evaluation=evaluation, rows=rows)


def test_who_may_not_train_starts_and_ends_none_and_a_stranger_does_nothing(
    as_alice, as_bob, as_charlie, workspace, evaluation, comparison
) -> None:
    choose(as_alice, comparison, 0, "first")
    with pytest.raises(NotAllowed):
        services.start_comparison(as_bob, workspace_id=workspace.id, evaluation=evaluation)
    with pytest.raises(NotAllowed):
        services.end_comparison(as_bob, comparison=comparison)
    with pytest.raises(NotFound):
        services.start_comparison(as_charlie, workspace_id=as_charlie.workspace_id, evaluation=evaluation)
    for act in (services.open_comparison, services.end_comparison):
        with pytest.raises(NotAllowed):
            act(as_charlie, comparison=comparison)
    with pytest.raises(NotAllowed):
        services.judge(as_charlie, comparison=comparison, number=0, shown="left")
    with pytest.raises(NotFound):
        selectors.comparison_of(as_charlie.workspace_id, comparison.id)


def test_a_program_judges_nothing(workspace, comparison) -> None:
    with pytest.raises(NotAllowed, match="Only people judge"):
        services.judge(system(workspace.id), comparison=comparison, number=0, shown="left")


def test_a_row_or_choice_that_is_none_is_refused(as_alice, comparison) -> None:
    with pytest.raises(NotFound, match="no row 99"):
        services.judge(as_alice, comparison=comparison, number=99, shown="left")
    with pytest.raises(Invalid, match="'both' is no choice"):
        services.judge(as_alice, comparison=comparison, number=0, shown="both")


def test_nothing_is_ended_before_somebody_judged(as_alice, comparison) -> None:
    with pytest.raises(Conflict, match="Nobody has judged"):
        services.end_comparison(as_alice, comparison=comparison)


def test_a_person_opens_the_rows_judges_them_all_and_sees_who_won(client, alice, comparison, evaluation) -> None:
    client.force_login(alice)
    page = f"/blind/{comparison.id}/"
    shut = client.get(page).content.decode()
    assert "Test rows are kept shut" in shut and "Where is parcel" not in shut
    assert "Where is parcel" in client.post(f"{page}open-test", follow=True).content.decode()
    assert AuditEvent.objects.get(action="version.test_rows_opened").subject_id == evaluation.version_id
    for turn in comparison.turns_of(alice.id):
        shown = client.get(page).content.decode()
        assert evaluation.model.title not in shown and f'name="row" value="{turn.number}"' in shown
        left, right = shown.index("There."), shown.index(f"No {comparison.rows[turn.number][0]}.")
        assert (left < right) == turn.is_swapped  # the fine-tune is the second
        cut = shown.index("cut at the length limit")
        assert shown.count("cut at the length limit") == 1 and (right < cut < left) != turn.is_swapped
        client.post(f"{page}judge", {"row": turn.number, "choice": "left" if turn.is_swapped else "right"})
    assert "You have judged every row" in client.get(page).content.decode()
    told = client.post(f"{page}end", follow=True).content.decode()
    assert "People prefer Refunds." in told and "10 judgements by 1 person" in told
    assert "Refunds was chosen more often by 100 points of 100, with 95 % confidence between +100 and +100." in told
    assert "ended" in client.get("/blind/").content.decode()


def test_few_judgements_are_told_as_what_they_are(client, alice, as_alice, comparison) -> None:
    for number in range(4):
        choose(as_alice, comparison, number, "first")
    services.end_comparison(as_alice, comparison=comparison)
    client.force_login(alice)
    told = client.get(f"/blind/{comparison.id}/").content.decode()
    assert "People prefer neither measurably." in told and "so few prove nothing" in told
    assert "Starter was chosen more often by 100 points of 100" in told


def test_a_comparison_is_started_on_the_page_and_what_is_wrong_is_said_there(client, alice, evaluation) -> None:
    client.force_login(alice)
    assert "Nothing was compared yet" in client.get("/blind/").content.decode()
    form = client.get(f"/blind/new?model={evaluation.model_id}").content.decode()
    assert f'value="{evaluation.id}" selected' in form
    wrong = client.post("/blind/new", {"model": evaluation.id, "against": evaluation.id, "rows": "10"})
    assert wrong.status_code == 400 and "with itself" in wrong.content.decode()
    made = client.post("/blind/new", {"model": evaluation.id, "against": "", "rows": "10"})
    assert made.status_code == 302 and made["Location"].startswith("/blind/blind_")


def test_a_wrong_choice_is_said_on_the_page_and_counts_nothing(client, alice, comparison) -> None:
    client.force_login(alice)
    answer = client.post(f"/blind/{comparison.id}/judge", {"row": "x", "choice": "left"}, follow=True)
    assert "no row -1" in answer.content.decode() and not BlindJudgement.objects.exists()


def test_an_editor_judges_but_finds_no_button_to_end_it(client, bob, comparison) -> None:
    client.force_login(bob)
    assert "End it and show" not in client.get(f"/blind/{comparison.id}/").content.decode()
    assert client.post(f"/blind/{comparison.id}/end").status_code == 403
    assert client.get("/blind/new").status_code == 403


def test_programs_read_results_once_they_are_told(client, as_alice, as_charlie, workspace, comparison) -> None:
    _key, secret = issue_key(as_alice, workspace_id=workspace.id, name="x", scopes=["jobs:read"])
    headers = {"Authorization": f"Bearer {secret}"}
    choose(as_alice, comparison, 0, "second")
    waiting = client.get(f"{ADDRESS}/{comparison.id}", headers=headers).json()
    assert waiting["results"] is None and waiting["ended_at"] is None and waiting["rows"] == 10
    services.end_comparison(as_alice, comparison=comparison)
    told = client.get(ADDRESS, headers=headers).json()["data"][0]
    assert told["id"] == comparison.id and told["results"]["second"] == 1 and told["second_side"] == "tuned"
    _key, other = issue_key(as_charlie, workspace_id=as_charlie.workspace_id, name="x", scopes=["jobs:read"])
    strange = {"Authorization": f"Bearer {other}"}
    assert client.get(f"{ADDRESS}/{comparison.id}", headers=strange).status_code == 404
    assert client.get(ADDRESS, headers=strange).json()["data"] == []


def test_programs_start_one_and_are_told_what_is_wrong(client, as_alice, as_charlie, workspace, evaluation) -> None:
    def started(actor, *scopes: str, **body):
        _key, secret = issue_key(actor, workspace_id=actor.workspace_id, name="x", scopes=list(scopes))
        headers = {"Authorization": f"Bearer {secret}"}
        return client.post(ADDRESS, body, content_type="application/json", headers=headers)

    made = started(as_alice, "jobs:write", evaluation=evaluation.id, rows=10)
    assert made.status_code == 201 and (made.json()["rows"], made.json()["first_side"]) == (10, "base")
    assert AuditEvent.objects.get(action="blind.started").subject_id == made.json()["id"]
    assert started(as_alice, "jobs:read", evaluation=evaluation.id).status_code == 403
    assert started(as_charlie, "jobs:write", evaluation=evaluation.id).status_code == 404
    assert started(as_alice, "jobs:write", evaluation="eval_none").status_code == 404
    same = started(as_alice, "jobs:write", evaluation=evaluation.id, against=evaluation.id)
    assert same.status_code == 400 and "with itself" in same.json()["detail"]
    for rows in (4, 201):
        assert started(as_alice, "jobs:write", evaluation=evaluation.id, rows=rows).status_code == 400


def test_a_viewer_may_judge(workspace, comparison) -> None:
    user = accounts.create_user(email="vera@care.example", name="Vera")
    accounts.add_member(system(workspace.id), workspace_id=workspace.id, user=user, role="viewer")
    viewer = actor_of_member(membership(user, workspace.id))
    assert choose(viewer, comparison, 1, "first").choice == "first"


def test_erased_answers_are_said_to_be_gone(client, alice, comparison, evaluation) -> None:
    client.force_login(alice)
    client.post(f"/blind/{comparison.id}/open-test")
    evaluation.answers.unlink()
    assert "This row is gone" in client.get(f"/blind/{comparison.id}/").content.decode()
