"""One repository at one commit into a folder: looked at first, then the small files, then the weights.

No file is executed or unpickled, and a model that needs code of its own is refused before its weights are fetched.
"""

from __future__ import annotations

import glob
import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from httpx2 import HTTPError
from huggingface_hub import HfApi, constants, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from training_app.engine.errors import EngineError
from training_app.engine.hub.choosing import chosen

CODE_IN = ("config.json", "tokenizer_config.json")
OFFLINE = "HF_HUB_OFFLINE is set, so the studio asks no hub."


@dataclass(frozen=True, slots=True)
class Fetched:
    """What lies in the folder: the commit that the revision stood for, and the licence that the repository names."""

    commit: str
    licence: str


def fetch(repo: str, *, revision: str, out: Path, on_plan: Callable[[dict[str, Any]], None]) -> Fetched:
    """Fetch what a base model needs of `repo` into `out`; a second call goes on where a first one was cut off.

    `on_plan` is told {commit, bytes, files} before the download. Errors: EngineError with a sentence.
    """
    with _sentences(repo, revision):
        info = HfApi().model_info(repo, revision=revision, files_metadata=True)
        sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
        small, weights = chosen(repo, list(sizes))
        _room(out, repo, sum(sizes[name] for name in weights))
        commit = str(info.sha)
        on_plan({"commit": commit, "bytes": sum(sizes[name] for name in [*small, *weights]), "files": len(sizes)})
        _download(repo, commit, small, out)
        _refuse_code(repo, out)
        _download(repo, commit, weights, out)
    shutil.rmtree(out / ".cache", ignore_errors=True)
    return Fetched(commit, str(info.card_data.get("license") or "") if info.card_data else "")


def _download(repo: str, commit: str, names: Sequence[str], out: Path) -> None:
    exactly = [glob.escape(name) for name in names]
    snapshot_download(repo, revision=commit, allow_patterns=exactly, local_dir=out, max_workers=2)


def _room(out: Path, repo: str, size: int) -> None:
    free = shutil.disk_usage(out).free
    if 2 * size > free:  # once here, once in the store
        raise EngineError(
            "disk_full",
            f"{repo} has {size / 1e9:,.1f} GB of weights; registering it takes twice that, and {free / 1e9:,.1f} GB "
            "are free.",
            fix="Make room, or choose a smaller model.",
        )


def _refuse_code(repo: str, out: Path) -> None:
    for name in CODE_IN:
        if (out / name).exists() and "auto_map" in json.loads((out / name).read_text(encoding="utf-8")):
            raise EngineError(
                "needs_code",
                f"{repo} needs code of its own to be run ({name} names it), which the studio never executes.",
                fix="Choose a model of a standard transformers class.",
            )


@contextmanager
def _sentences(repo: str, revision: str) -> Iterator[None]:
    """Every way in which a hub says no, in words."""
    try:
        yield
    except (OfflineModeIsEnabled, LocalEntryNotFoundError) as error:
        if constants.HF_HUB_OFFLINE:
            raise EngineError(
                "offline", OFFLINE, fix="Unset it, or copy the model below STUDIO_HOME/import."
            ) from error
        raise _away(error) from error
    except GatedRepoError as error:
        fix = "Accept its terms on its page, and give the studio your HF_TOKEN."
        raise EngineError("gated", f"{repo} is given out only to people who accepted its terms.", fix=fix) from error
    except RevisionNotFoundError as error:
        raise EngineError("no_revision", f"{repo} has no revision {revision!r}.", fix="Leave it empty.") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        message = f"The hub knows no model {repo!r}, or it is private."
        raise EngineError("not_found", message, fix="Copy its id from its page, such as owner/name.") from error
    except HfHubHTTPError as error:
        message = f"The hub refused with status {error.response.status_code}."
        raise EngineError("hub_refused", message, fix="Try again later.") from error
    except HTTPError as error:
        raise _away(error) from error
    except (OSError, ValueError) as error:
        message = f"{repo} could not be kept: {error}"
        raise EngineError("broken_download", message, fix="Look at the disk, then try again.") from error


def _away(error: Exception) -> EngineError:
    words = (str(error).strip().splitlines() or ["no answer"])[0][:200]
    fix = "Connect this machine, or copy the model below STUDIO_HOME/import by hand."
    return EngineError("hub_away", f"The hub cannot be reached from here ({words}).", fix=fix)
