"""Base models taken in or refused, fine-tunes registered, and the release under every policy."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets_app import selectors as data
from datasets_app.models import Tokenizer
from datasets_app.recipes import default_recipe, step
from datasets_app.services import create_version
from gptstudio.accounts.models import Workspace
from gptstudio.accounts.policies import system
from gptstudio.core import leases
from gptstudio.core.errors import Conflict, Invalid, NotAllowed, NotFound
from gptstudio.review.models import ReviewDecision, ReviewItem
from gptstudio.review.services import decide
from training_app import selectors, services
from training_app.models import Evaluation, FineTuningJob, LanguageModel
from training_app.services.models import public_name

CHECK = {
    "key": "insults", "title": "Insults", "tried": 4, "failed": 0, "measured": 0, "unit": "answers", "limit": 0,
    "passed": True, "detail": "0 of 4 insult.", "examples": [{"prompt": "a row", "answer": "a row"}],
}  # fmt: skip


@pytest.fixture
def inbox(studio_home, tiny_base):
    """STUDIO_HOME/import with the tiny model in `tiny`."""
    shutil.copytree(tiny_base, studio_home / "import" / "tiny")
    return studio_home / "import"


@pytest.fixture
def register(as_alice, workspace, inbox):
    def call(path: str = "tiny", name: str = "tiny-1", actor=as_alice) -> LanguageModel:
        return services.register_base_model(actor, workspace_id=workspace.id, name=name, path=path, licence="MIT")

    return call


def test_a_whole_folder_becomes_a_base_model_and_a_tokenizer(register, workspace) -> None:
    model = register()
    assert (model.kind, model.context_length, model.licence) == ("base", 256, "MIT")
    assert model.parameters == 261 * 16 * 2 + (16 * 16 * 2 + 16 * 8 * 2) + 3 * 16 * 32 + 3 * 16
    assert (model.path / "model.safetensors").exists()
    assert Tokenizer.objects.get(name="tiny-1").digest == model.digest
    assert selectors.is_released(model)
    assert model in selectors.base_models_of(workspace.id)


def test_a_chat_template_without_an_end_is_refused(register, inbox) -> None:
    endless = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    (inbox / "tiny" / "chat_template.jinja").write_text(endless)
    with pytest.raises(Invalid, match="did not come to an end"):
        register()
    assert not LanguageModel.objects.filter(name="tiny-1").exists()


def test_a_workspaces_base_model_is_not_a_strangers(register, as_charlie) -> None:
    model = register()
    assert model not in selectors.models_of(as_charlie.workspace_id)
    with pytest.raises(NotFound):
        selectors.model_of(as_charlie.workspace_id, model.id)
    with pytest.raises(NotFound):
        selectors.start_named(as_charlie.workspace_id, "tiny-1")


def test_only_an_admin_registers_base_models(register, as_tom, as_charlie) -> None:
    for actor in (as_tom, as_charlie):
        with pytest.raises(NotAllowed):
            register(actor=actor)


@pytest.mark.parametrize(
    "path", ["../outside", "/etc", "tiny/../../outside", "missing", "tiny/config.json", "link", "a\x00b"]
)
def test_a_folder_outside_the_inbox_is_not_there(register, inbox, path) -> None:
    shutil.copytree(inbox / "tiny", inbox.parent / "outside")
    (inbox / "link").symlink_to(inbox.parent / "outside")
    with pytest.raises(NotFound, match="under STUDIO_HOME/import"):
        register(path)
    assert not LanguageModel.objects.exists()


@pytest.mark.parametrize(
    "name",
    ["pytorch_model.bin", "weights.pt", "model.pkl", "modeling_x.py", "old.ckpt", "deep/down/weights.BIN", ".git/x.py"],
)
def test_pickled_weights_and_code_are_refused_at_every_level(register, inbox, name) -> None:
    (inbox / "tiny" / name).parent.mkdir(parents=True, exist_ok=True)
    (inbox / "tiny" / name).touch()
    with pytest.raises(Invalid, match=f"{name}: pickled weights and code are refused"):
        register()


@pytest.mark.parametrize("target", ["secret_key", "elsewhere", "gone"])
def test_links_that_leave_the_folder_are_refused(register, inbox, target) -> None:
    (inbox.parent / "secret_key").write_text("s" * 50)
    (inbox.parent / "elsewhere").mkdir()
    (inbox / "tiny" / "sub").mkdir()
    (inbox / "tiny" / "sub" / "notes.txt").symlink_to(inbox.parent / target)
    with pytest.raises(Invalid, match=r"holds sub/notes.txt, a link to somewhere else"):
        register()
    assert not LanguageModel.objects.exists()


def test_a_model_that_needs_code_of_its_own_is_refused(register, inbox) -> None:
    path = inbox / "tiny" / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": {"AutoModel": "other/repo--code.Model"}}))
    with pytest.raises(Invalid, match="needs code of its own"):
        register()


@pytest.mark.parametrize(
    "changes",
    [
        {"architectures": ["T5ForConditionalGeneration"], "model_type": "t5", "is_encoder_decoder": True},
        {"architectures": ["BertForMaskedLM"], "model_type": "bert"},
        {"architectures": ["BertModel"], "model_type": "bert"},
    ],
)
def test_a_model_that_does_not_write_on_from_a_text_is_refused(register, inbox, changes) -> None:
    config = inbox / "tiny" / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **changes}))
    with pytest.raises(Invalid, match=r"does not write on from a text") as refused:
        register()
    assert changes["architectures"][0] in refused.value.message and "ForCausalLM" in refused.value.fix


def test_a_folder_named_after_a_workspace_is_that_workspaces_alone(register, inbox, as_charlie, workspace) -> None:
    shutil.copytree(inbox / "tiny", inbox / workspace.slug / "own")
    with pytest.raises(NotFound, match="There is no folder"):
        services.register_base_model(
            as_charlie, workspace_id=as_charlie.workspace_id, name="theirs", path=f"{workspace.slug}/own"
        )
    assert register(f"{workspace.slug}/own").name == "tiny-1"
    theirs = services.register_base_model(as_charlie, workspace_id=as_charlie.workspace_id, name="t", path="tiny")
    assert theirs.workspace_id == as_charlie.workspace_id


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
def test_a_folder_that_lacks_a_part_is_refused(register, inbox, name) -> None:
    (inbox / "tiny" / name).unlink()
    with pytest.raises(Invalid):
        register()


def cut(content: bytes) -> bytes:
    return content[:-10]


@pytest.mark.parametrize(
    "damage",
    [
        cut,
        lambda content: content[:40],
        lambda content: b"",
        lambda content: b"\xff" * 100,
        lambda content: (2).to_bytes(8, "little") + b"[]",
        lambda content: (13).to_bytes(8, "little") + b'{"a":{"b":1}}',
        lambda content: content[:8] + b"x" + content[9:],
    ],
    ids=["cut at the end", "cut in the header", "empty", "no length", "a list", "no shapes", "no JSON"],
)
def test_damaged_weights_are_refused(register, inbox, damage) -> None:
    path = inbox / "tiny" / "model.safetensors"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(Invalid, match=r"model.safetensors"):
        register()
    assert not LanguageModel.objects.exists()


@pytest.mark.parametrize("content", ["", "[]", "{", '{"max_position_embeddings": "many"}'])
def test_a_config_that_says_nothing_is_refused(register, inbox, content) -> None:
    (inbox / "tiny" / "config.json").write_text(content)
    with pytest.raises(Invalid, match="config.json"):
        register()


@pytest.mark.parametrize("name", ["", "ft:mine", "-x", "a b", "x" * 81])
def test_a_strange_name_is_refused(register, name) -> None:
    with pytest.raises(Invalid, match="cannot be a model's name"):
        register(name=name)


def test_a_name_is_taken_once(register) -> None:
    register()
    with pytest.raises(Conflict, match="There is a model tiny-1 already"):
        register()


def test_the_starter_is_registered_once_and_follows_its_files(base, tiny_base, settings, tmp_path) -> None:
    assert services.ensure_starter() == base
    folder = tmp_path / "newer"
    shutil.copytree(tiny_base, folder)
    config = json.loads((folder / "config.json").read_text()) | {"max_position_embeddings": 128}
    (folder / "config.json").write_text(json.dumps(config))
    settings.STARTER_FOLDER = folder
    newer = services.ensure_starter()
    assert newer.id != base.id and newer.digest != base.digest and newer.name == base.name
    assert (newer.context_length, Tokenizer.objects.get(name=newer.name).digest) == (128, newer.digest)
    old = LanguageModel.objects.get(id=base.id)
    assert old.digest == base.digest and old.archived_at is not None, "fine-tunes stand on the old weights"
    assert services.ensure_starter() == newer


def test_two_workspaces_may_use_one_name_and_do_not_learn_of_each_other(register, as_charlie, workspace) -> None:
    mine = register()
    theirs = services.register_base_model(as_charlie, workspace_id=as_charlie.workspace_id, name=mine.name, path="tiny")
    assert theirs.id != mine.id
    assert data.tokenizer(as_charlie.workspace_id, mine.name).workspace_id == as_charlie.workspace_id
    assert [each.workspace_id for each in data.tokenizers(workspace.id) if each.name == mine.name] == [workspace.id]


def test_a_recipe_cannot_count_with_the_model_of_another_workspace(register, as_charlie, version) -> None:
    services.register_base_model(as_charlie, workspace_id=as_charlie.workspace_id, name="theirs", path="tiny")
    body = default_recipe()
    step(body, "tokens")["options"]["model"] = "theirs"
    with pytest.raises(Invalid, match="There is no base model 'theirs'"):
        create_version(system(version.dataset.workspace_id), dataset=version.dataset, recipe=body)


def test_the_longest_names_fit_together(register, as_tom, workspace, version) -> None:
    long = register(name="b" * 80)
    Workspace.objects.filter(id=workspace.id).update(slug="w" * 40)
    job = services.create_job(as_tom, workspace_id=workspace.id, base_model=long, version=version, suffix="s" * 64)
    job = FineTuningJob.objects.select_related("workspace", "base_model").get(id=job.id)
    assert len(public_name(job)) <= LanguageModel._meta.get_field("name").max_length


@pytest.fixture
def evaluated(make_job, workspace, tiny_base):
    """A claimed job at its safety phase, with a model and a verdict."""

    def make(policy: str = "two_person", *, safe: bool = True):
        Workspace.objects.filter(id=workspace.id).update(release_policy=policy)
        job = services.claim_job(make_job(suffix="tone").id, holder="w")
        FineTuningJob.objects.filter(id=job.id).update(phase="safety")
        model = services.register_fine_tune(job, folder=tiny_base)
        scores = {"rows": 4, "base": {"perplexity": 9.0}, "tuned": {"perplexity": 3.0}}
        services.record_evaluation(job, model=model, result=scores)
        services.record_safety(job, model=model, report={"checks": [CHECK], "passed": safe})
        return job, model

    return make


def state_of(job) -> tuple[str, str]:
    found = FineTuningJob.objects.get(id=job.id)
    return found.state, found.phase


def test_a_fine_tune_is_named_after_base_workspace_and_suffix_and_registered_once(evaluated, tiny_base, as_tom) -> None:
    job, model = evaluated()
    assert model.name == f"ft:studio-starter-1:care:tone:{job.id[-8:]}"
    assert (model.base, model.created_by_id, model.is_adapter) == (job.base_model, as_tom.user_id, False)
    assert services.register_fine_tune(job, folder=tiny_base) == model
    assert not selectors.is_released(model)


def test_a_worker_keeps_its_lease_while_it_copies_a_model(make_job, tiny_base, monkeypatch) -> None:
    monkeypatch.setattr(leases, "PACE", timedelta(0))
    job = services.claim_job(make_job().id, holder="w")
    mine = FineTuningJob.objects.filter(id=job.id)
    mine.update(lease_until=timezone.now())  # as if the copy had taken that long
    assert leases.expired(mine).exists()
    services.register_fine_tune(job, folder=tiny_base)
    assert not leases.expired(mine).exists()


def test_of_two_workers_that_copy_a_model_the_one_that_lost_its_lease_registers_nothing(make_job, tiny_base) -> None:
    first = services.claim_job(make_job().id, holder="first")
    FineTuningJob.objects.filter(id=first.id).update(lease_until=timezone.now())
    second = services.claim_job(first.id, holder="second")
    assert services.register_fine_tune(first, folder=tiny_base) is None
    model = services.register_fine_tune(second, folder=tiny_base)
    assert selectors.model_of_job(first) == model and services.register_fine_tune(first, folder=tiny_base) == model


@pytest.mark.parametrize("policy", ["two_person", "self"])
def test_where_people_decide_the_job_is_done_and_nothing_is_released(evaluated, policy) -> None:
    job, model = evaluated(policy)
    services.settle_release(job, model=model)
    assert state_of(job)[0] == "succeeded"
    assert not ReviewItem.objects.exists()
    assert model not in selectors.released_models()


def test_under_automatic_a_safe_model_is_released_and_the_job_waits_for_an_engine(evaluated, workspace) -> None:
    job, model = evaluated("automatic")
    services.settle_release(job, model=model)
    assert state_of(job) == ("running", "release")
    assert selectors.is_released(model) and model in selectors.released_models()
    assert selectors.released_ids(workspace.id) == {model.id}
    assert [waiting.id for waiting in selectors.jobs_waiting_for_release()] == [job.id]
    assert selectors.running_count() == 0
    assert services.finish_released_job(job.id)
    assert state_of(job)[0] == "succeeded"
    assert not services.finish_released_job(job.id)


def test_under_automatic_an_unsafe_model_goes_to_a_person(evaluated, as_alice) -> None:
    job, model = evaluated("automatic", safe=False)
    services.settle_release(job, model=model)
    assert state_of(job)[0] == "succeeded"
    item = ReviewItem.objects.get(subject_id=model.id)
    assert (item.state, selectors.is_released(model)) == ("pending", False)
    decide(as_alice, item=item, verdict="approved", reason="The check is mistaken: a name in a sample.")
    assert selectors.is_released(model)


def test_settling_twice_decides_once(evaluated) -> None:
    job, model = evaluated("automatic")
    services.settle_release(job, model=model)
    services.settle_release(job, model=model)
    assert ReviewDecision.objects.count() == 1


def test_a_worker_that_lost_its_lease_does_not_end_the_job(evaluated) -> None:
    job, model = evaluated("two_person")
    FineTuningJob.objects.filter(id=job.id).update(attempt=job.attempt + 1)
    services.settle_release(job, model=model)
    assert state_of(job)[0] == "running"


def test_a_worker_that_lost_its_lease_changes_no_verdict_and_asks_for_no_release(evaluated) -> None:
    job, model = evaluated("automatic")
    FineTuningJob.objects.filter(id=job.id).update(attempt=job.attempt + 1)
    late = {"rows": 9, "base": {"perplexity": 1.0}, "tuned": {"perplexity": 9.0}}
    assert not services.record_evaluation(job, model=model, result=late)
    assert not services.record_safety(job, model=model, report={"checks": [CHECK], "passed": False})
    services.settle_release(job, model=model)
    kept = Evaluation.objects.get(model=model)
    assert (kept.rows, kept.is_safe) == (4, True)
    assert not ReviewItem.objects.exists()


def test_asking_for_release_shows_scores_and_names_all_makers(evaluated, as_tom, bob) -> None:
    _job, model = evaluated()
    item = services.request_release(as_tom, model=model)
    assert item.makers == sorted([as_tom.user_id, bob.id])
    assert (item.evidence["rows"], item.evidence["digest"]) == (4, model.digest)
    assert (item.evidence["base"], item.evidence["tuned"]) == ({"perplexity": 9.0}, {"perplexity": 3.0})


def test_a_model_without_a_verdict_cannot_be_released(evaluated, as_tom) -> None:
    _job, model = evaluated()
    Evaluation.objects.all().delete()
    with pytest.raises(Conflict, match="not evaluated yet"):
        services.request_release(as_tom, model=model)


def test_a_model_that_was_not_checked_for_safety_cannot_be_released(evaluated, as_tom) -> None:
    job, model = evaluated()
    Evaluation.objects.filter(model=model).update(safety={}, is_safe=False)
    with pytest.raises(Conflict, match="not checked for safety yet"):
        services.request_release(as_tom, model=model)
    assert not ReviewItem.objects.exists()
    services.record_safety(job, model=model, report={"checks": [CHECK], "passed": True})
    assert services.request_release(as_tom, model=model).evidence["safety"]["checks"][0]["title"] == "Insults"


def test_a_reviewer_who_was_asked_early_sees_the_report_that_came_later(evaluated, as_tom) -> None:
    job, model = evaluated()
    item = services.request_release(as_tom, model=model)
    worse = {**CHECK, "failed": 3, "measured": 3, "passed": False, "detail": "3 of 4 insult."}
    services.record_safety(job, model=model, report={"checks": [worse], "passed": False})
    services.settle_release(job, model=model)
    item.refresh_from_db()
    assert item.state == "pending" and item.evidence["safety"]["checks"][0]["detail"] == "3 of 4 insult."
    assert "examples" not in item.evidence["safety"]["checks"][0]


def test_a_base_model_needs_no_release(base, as_tom) -> None:
    with pytest.raises(Conflict):
        services.request_release(as_tom, model=base)


def test_a_withdrawn_model_is_released_no_more(evaluated, as_tom, as_alice) -> None:
    _job, model = evaluated()
    with pytest.raises(Conflict, match="never released"):
        services.withdraw_model(as_alice, model=model, reason="It swears.")
    decide(as_alice, item=services.request_release(as_tom, model=model), verdict="approved", reason="Better.")
    services.withdraw_model(as_alice, model=model, reason="It swears.")
    assert not selectors.is_released(model) and model not in selectors.released_models()


def test_a_release_that_was_withdrawn_frees_the_waiting_job(evaluated, as_alice) -> None:
    job, model = evaluated("automatic")
    services.settle_release(job, model=model)
    services.withdraw_model(as_alice, model=model, reason="It swears.")
    services.requeue_stale()
    assert state_of(job)[0] == "succeeded"


def test_a_stranger_neither_sees_nor_releases_a_model(evaluated, as_charlie) -> None:
    _job, model = evaluated()
    with pytest.raises(NotFound):
        selectors.model_of(as_charlie.workspace_id, model.id)
    assert selectors.model_named(as_charlie.workspace_id, model.name) is None
    with pytest.raises(NotAllowed):
        services.request_release(as_charlie, model=model)
