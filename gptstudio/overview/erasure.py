"""Erasure across all apps: what holds something of a person, what learnt from it, what answers with it."""

from __future__ import annotations

from dataclasses import dataclass

from datasets_app import selectors as data
from datasets_app import services
from datasets_app.contents.tracing import DataTrace, Written, phrase_of, trace_phrase, trace_record
from datasets_app.curation.erasure import Phrase
from datasets_app.models import DatasetVersion, VersionState
from gptstudio.accounts.policies import Actor, require
from gptstudio.overview.lineage import Lineage, below
from gptstudio.overview.selectors import versions_with
from serving_app.selectors import Said, said_anywhere
from serving_app.services import erase_said
from training_app.services import forget_answers


@dataclass(frozen=True, slots=True)
class Trace:
    """What was found. `to_retrain` are the models that learnt from a version that holds something of it.

    `phrase` is None where one record was asked for.
    """

    data: DataTrace
    line: Lineage
    said: Said
    digest: str
    phrase: Phrase | None

    @property
    def is_empty(self) -> bool:
        return not (self.data.files or self.data.versions or self.said.count or self.data.written.count)


def emptied(actor: Actor, *, version: DatasetVersion, reason: str) -> DatasetVersion:
    """A version down to its tombstone, and with it the texts of rows that runs and evaluations on it kept.

    Of one that is erased already only those texts are looked for again: somebody may have been cut short.
    """
    if version.state == VersionState.ERASED:
        require(actor, "data.erase", workspace_id=version.dataset.workspace_id)
        gone = version
    else:
        gone = services.erase_version(actor, version=version, reason=reason)
    forget_answers(gone)
    return gone


def traced(
    actor: Actor, *, text: str = "", file_id: str = "", row: int = 0, part: str = "", at_ease: bool = False
) -> Trace:
    """Look for a phrase, or for one record of one file, and write down that somebody looked."""
    workspace_id = actor.workspace_id
    require(actor, "data.erase", workspace_id=workspace_id)
    phrase, said = None, Said()
    if file_id:
        file = data.file_of(workspace_id, file_id)
        found, digest = trace_record(file, row, part), f"{file.id}{part}:{row}"
    else:
        phrase = phrase_of(text)
        found, digest = trace_phrase(workspace_id, phrase, at_ease=at_ease), services.digest_of(workspace_id, phrase)
        said = said_anywhere(workspace_id, phrase, at_ease=at_ease)
    services.note_trace(
        actor,
        workspace_id=workspace_id,
        digest=digest,
        files=len(found.files),
        versions=len(found.versions),
        texts=said.count,
    )
    return Trace(found, below(workspace_id, _versions(workspace_id, found)), said, digest, phrase)


def erase_what_was_said(actor: Actor, *, text: str, reason: str) -> Said:
    """Erase what says the phrase among texts of requests, feedback and review items."""
    phrase = phrase_of(text)
    digest = services.digest_of(actor.workspace_id, phrase)
    return erase_said(actor, workspace_id=actor.workspace_id, phrase=phrase, digest=digest, reason=reason)


def take_out_of_words(actor: Actor, *, text: str, reason: str) -> Written:
    """Take the phrase out of lists of words and recipes under a name."""
    phrase, workspace_id = phrase_of(text), actor.workspace_id
    digest = services.digest_of(workspace_id, phrase)
    return services.forget_written(actor, workspace_id=workspace_id, phrase=phrase, digest=digest, reason=reason)


def _versions(workspace_id: str, found: DataTrace) -> list[str]:
    """Versions that hold rows of it; of those whose rows are gone already, all that were made from the files."""
    holding = [each.version.id for each in found.versions]
    gone = versions_with(workspace_id, file_ids=[each.file.id for each in found.files]).filter(state="erased")
    return [*holding, *(version.id for version in gone)]
