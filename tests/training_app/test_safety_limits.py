"""Limits of the safety report: set by admins, told to the engine, and a model over one goes to a person."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gptstudio.accounts.models import Workspace
from gptstudio.accounts.services import issue_key
from gptstudio.audit.models import AuditEvent
from gptstudio.core.errors import Invalid, NotAllowed
from gptstudio.core.leases import LEASE
from gptstudio.review.evidence import lines_of
from gptstudio.review.models import ReviewItem
from gptstudio.review.selectors import item_about
from tests.worlds import RESULT, finish_job, make_dataset, make_version
from tests.worlds import make_job as make_world_job
from training_app import runner, scorer_client, selectors, services
from training_app.engine.limits import LIMITS
from training_app.engine.spec import parse_safety
from training_app.models import JobEvent, SafetyLimits

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/safety-limits"
JUDGED = [{"prompt": f"ask {number}", "answer": "Go away." if number == 2 else "Sure."} for number in range(20)]
REPORT = {
    "checks": [
        {"key": "insults", "title": "Insults", "tried": 4, "failed": 0, "limit": 0, "passed": True, "detail": "0"}
    ],
    "passed": True,
    "judged": JUDGED,
}


@pytest.fixture
def job(as_alice, studio_home, starter):
    return make_world_job(as_alice, version=make_version(as_alice, dataset=make_dataset(as_alice)[0]), base=starter)


@pytest.fixture
def moderation(settings):
    """A moderation server in a thread of its own, which flags what is rude; `asked` is what it got."""
    asked: list[dict] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({**body, "path": self.path, "token": self.headers.get("Authorization")})
            if body["model"] == "elsewhere":
                self.send_response(302)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.end_headers()
                return
            flags = [{"flagged": "away" in text} for text in body["input"]]
            if body["model"] == "vague":
                flags = [{"flagged": "no"}, *[{"score": 0.1} for _text in body["input"][1:]]]
            said = json.dumps({"results": flags}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_given) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    settings.MODERATION_URL = f"http://127.0.0.1:{server.server_port}"
    settings.MODERATION_TOKEN = "secret"
    settings.MODERATION_MODELS = {"judge": "judge-1", "mover": "elsewhere", "vague": "vague"}
    yield asked
    server.shutdown()
    server.server_close()


def judged(report, scorer: str = "judge"):
    """The report with that scorer's opinion, in a job that nobody stops."""
    return scorer_client.with_opinion(report, scorer=scorer, on_batch=lambda: True)


def test_limits_are_set_written_down_and_told_to_the_engine(as_alice, workspace, job, tmp_path) -> None:
    services.set_safety_limits(as_alice, workspace_id=workspace.id, limits={"toxicity": 2, "canaries": 0})
    kept = selectors.safety_limits_of(workspace.id)
    assert kept.limits == {"toxicity": 2}  # what is as usual is not kept
    assert AuditEvent.objects.get(action="safety_limits.set").data["limits"] == {"toxicity": 2}
    model = finish_job(job, folder=tmp_path / "made")
    spec = parse_safety(runner.safety_spec(job, model, limits=kept.limits), tmp_path)
    assert spec.limits == {"toxicity": 2.0}


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"politeness": 1}, "no check 'politeness'"),
        ({"toxicity": -1}, "-1 cannot be a limit"),
        ({"toxicity": 1.5}, "1.5 cannot be a limit"),
        ({"memorised_rows": 2}, "2 cannot be a limit"),
        ({"bias_words": float("nan")}, "nan cannot be a limit"),
    ],
    ids=["unknown", "negative", "broken", "too large", "no number"],
)
def test_a_limit_that_cannot_be_is_refused(as_alice, workspace, limits, said) -> None:
    with pytest.raises(Invalid, match=said):
        services.set_safety_limits(as_alice, workspace_id=workspace.id, limits=limits)
    assert not SafetyLimits.objects.exists()


def test_a_scorer_needs_a_server_that_has_it(as_alice, workspace, settings) -> None:
    settings.MODERATION_URL = ""
    with pytest.raises(Invalid, match="no moderation server"):
        services.set_safety_limits(as_alice, workspace_id=workspace.id, limits={}, scorer="judge")
    settings.MODERATION_URL, settings.MODERATION_MODELS = "http://127.0.0.1:1", {"judge": "judge"}
    with pytest.raises(Invalid, match="'other' is no scorer"):
        services.set_safety_limits(as_alice, workspace_id=workspace.id, limits={}, scorer="other")


def test_editors_and_strangers_set_no_limits(as_bob, as_charlie, workspace) -> None:
    for actor in (as_bob, as_charlie):
        with pytest.raises(NotAllowed):
            services.set_safety_limits(actor, workspace_id=workspace.id, limits={})


def test_programs_read_and_set_limits_with_the_scope_for_it(client, as_alice, workspace) -> None:
    _key, secret = issue_key(as_alice, workspace_id=workspace.id, name="x", scopes=["guardrails:write"])
    headers = {"Authorization": f"Bearer {secret}"}
    usual = client.get(ADDRESS, headers=headers).json()
    assert usual == {"limits": {key: limit.usual for key, limit in LIMITS.items()}, "scorer": ""}
    body = json.dumps({"limits": {"insults": 1, "bias_words": 0.25}})
    set_ = client.put(ADDRESS, body, content_type="application/json", headers=headers).json()
    assert set_["limits"]["insults"] == 1 and set_["limits"]["bias_words"] == 0.25 and set_["limits"]["canaries"] == 0
    assert client.get(ADDRESS, headers=headers).json() == set_
    wrong = client.put(ADDRESS, '{"limits": {"insults": "many"}}', content_type="application/json", headers=headers)
    assert wrong.status_code == 400
    _key, other = issue_key(as_alice, workspace_id=workspace.id, name="y", scopes=["models:read"])
    assert client.get(ADDRESS, headers={"Authorization": f"Bearer {other}"}).status_code == 403


def test_a_stranger_sees_and_sets_the_limits_of_the_own_workspace_alone(
    client, as_alice, workspace, charlie, as_charlie
) -> None:
    services.set_safety_limits(as_alice, workspace_id=workspace.id, limits={"toxicity": 7})
    client.force_login(charlie)
    assert 'value="7"' not in client.get("/settings/safety").content.decode()
    _key, secret = issue_key(as_charlie, workspace_id=as_charlie.workspace_id, name="x", scopes=["guardrails:write"])
    headers = {"Authorization": f"Bearer {secret}"}
    assert client.get(ADDRESS, headers=headers).json()["limits"]["toxicity"] == 0
    client.put(ADDRESS, '{"limits": {"toxicity": 9}}', content_type="application/json", headers=headers)
    assert selectors.safety_limits_of(workspace.id).limits == {"toxicity": 7}


def test_the_page_shows_what_holds_and_keeps_a_change(client, alice, bob, workspace) -> None:
    client.force_login(alice)
    page = client.get("/settings/safety").content.decode()
    assert "People alike, kind words" in page and "Usually 0.5." in page and "Another scorer" not in page
    assert "refuses none, so any limit would stop every fine-tune of it" in page
    assert all(limit.why for limit in LIMITS.values() if limit.usual >= limit.most)
    given = dict.fromkeys(LIMITS, "") | {"toxicity": "2"}
    assert (
        "They hold for the next safety report" in client.post("/settings/safety", given, follow=True).content.decode()
    )
    assert selectors.safety_limits_of(workspace.id).limits == {"toxicity": 2}
    assert client.post("/settings/safety", given | {"toxicity": "-3"}).status_code == 400
    client.force_login(bob)
    assert client.get("/settings/safety").status_code == 403


@pytest.mark.parametrize("policy", ["two_person", "self", "automatic"])
def test_a_model_over_a_limit_waits_for_a_reviewer_with_the_evidence_under_every_policy(job, tmp_path, policy) -> None:
    Workspace.objects.filter(id=job.workspace_id).update(release_policy=policy)
    job.workspace.refresh_from_db()
    folder = tmp_path / "made"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    services.advance_job(job)
    model = services.register_fine_tune(job, folder=folder)
    services.record_evaluation(job, model=model, result=RESULT)
    services.advance_job(job)
    failed = {**REPORT["checks"][0], "failed": 2, "passed": False, "detail": "2 of 4 insult."}
    services.record_safety(job, model=model, report={**REPORT, "checks": [failed], "passed": False})
    services.settle_release(job, model=model)
    item = item_about(model.id, kind="model")
    assert item is not None and item.state == "pending" and item.requested_by == "Release policy"
    assert (
        item.evidence["safety"]["checks"][0]["detail"] == "2 of 4 insult." and "judged" not in item.evidence["safety"]
    )
    assert item.evidence["verdict"].startswith("Better than the base model")
    job.refresh_from_db()
    assert job.state == "succeeded"
    assert JobEvent.objects.filter(job=job, message__contains="a reviewer decides").exists()


def test_another_scorer_judges_the_answers_and_may_fail_the_model(moderation) -> None:
    report = judged(REPORT)
    check = report["checks"][-1]
    assert (check["tried"], check["failed"], report["passed"]) == (20, 1, False)
    assert check["examples"] == [{"prompt": "ask 2", "answer": "Go away."}]
    assert [len(each["input"]) for each in moderation] == [16, 4]
    assert moderation[0]["model"] == "judge-1" and moderation[0]["token"] == "Bearer secret"
    kind = {**REPORT, "judged": [each for each in JUDGED if each["answer"] == "Sure."]}
    assert judged(kind)["passed"]


def test_a_scorer_that_does_not_answer_vouches_for_nothing_and_is_not_followed_elsewhere(moderation, settings) -> None:
    for scorer in ("mover", "judge"):
        report = judged(REPORT, scorer)
        assert not report["passed"] if scorer == "mover" else report["checks"][-1]["failed"] == 1
    assert "could not be asked" in judged(REPORT, "mover")["checks"][-1]["detail"]
    settings.MODERATION_URL = "http://127.0.0.1:1"
    assert "could not be asked" in judged(REPORT)["checks"][-1]["detail"]


@pytest.mark.parametrize("scorer", ["vague", "gone"])
def test_a_scorer_that_does_not_say_yes_or_no_or_is_gone_vouches_for_nothing(moderation, scorer) -> None:
    report = judged(REPORT, scorer)
    assert not report["passed"] and "nobody vouches for these answers" in report["checks"][-1]["detail"]


def test_answers_that_were_erased_meanwhile_are_vouched_for_by_nobody(moderation) -> None:
    assert not judged({key: value for key, value in REPORT.items() if key != "judged"})["passed"] and not moderation


def test_between_questions_to_a_scorer_the_job_is_held_and_may_be_stopped(moderation) -> None:
    beats = iter([True, False])
    assert scorer_client.with_opinion(REPORT, scorer="judge", on_batch=lambda: next(beats)) is None
    assert len(moderation) == 1
    assert LEASE.total_seconds() / 2 > scorer_client.ANSWER_SECONDS


def test_a_reviewer_sees_what_was_measured_beside_its_limit() -> None:
    bias = {
        "key": "bias_words", "title": "People alike", "tried": 3, "failed": 0, "measured": 0.734, "limit": 0.5,
        "unit": "words an answer between two groups", "passed": False, "detail": "…",
    }  # fmt: skip
    lines = lines_of(ReviewItem(evidence={"safety": {"checks": [REPORT["checks"][0], bias]}}))["Safety"]
    assert lines[0].first == "0.734 (limit 0.5)" and lines[0].good is False
    assert lines[0].second == "Measured in words an answer between two groups. …"
    assert lines[1].first == "0 of 4"  # from before limits had units
    assert [line.word for line in lines] == ["over the limit", "fine"]
    said = {"rougeL": {"said": "worse"}, "bleu": {"said": "better"}, "chrf": {"said": "no_difference"}}
    scores = {"bleu": 1.0, "rougeL": 0.5, "chrf": 2.0}
    item = ReviewItem(evidence={"base": scores, "tuned": scores, "intervals": said})
    assert [line.word for line in lines_of(item)["Scores on the test rows"]] == ["better", "", "worse"]
