"""Every table of the app: data sets, files, uploads, versions, edits, erasures, recipes, previews, decisions, words,
tokenizers.
"""

from datasets_app.models.dataset import Dataset, DatasetFile, FileState, file_behind, run_names
from datasets_app.models.decision import FindingDecision, Verdict
from datasets_app.models.edit import EditAction, RowEdit
from datasets_app.models.erasure import Erasure
from datasets_app.models.recipe import CurationRecipe, PreviewState, RecipePreview, WordKind, WordList, written_down
from datasets_app.models.tokenizer import Tokenizer
from datasets_app.models.upload import FileUpload, UploadPart, UploadState
from datasets_app.models.version import DatasetVersion, VersionOrigin, VersionState

__all__ = [
    "CurationRecipe",
    "Dataset",
    "DatasetFile",
    "DatasetVersion",
    "EditAction",
    "Erasure",
    "FileState",
    "FileUpload",
    "FindingDecision",
    "PreviewState",
    "RecipePreview",
    "RowEdit",
    "Tokenizer",
    "UploadPart",
    "UploadState",
    "Verdict",
    "VersionOrigin",
    "VersionState",
    "WordKind",
    "WordList",
    "file_behind",
    "run_names",
    "written_down",
]
