"""Dataset, DatasetFile, DatasetVersion, CurationRecipe, RecipePreview, WordList, Tokenizer."""

from datasets_app.models.dataset import Dataset, DatasetFile, FileState
from datasets_app.models.recipe import CurationRecipe, PreviewState, RecipePreview, WordKind, WordList
from datasets_app.models.tokenizer import Tokenizer
from datasets_app.models.version import DatasetVersion, VersionState

__all__ = [
    "CurationRecipe",
    "Dataset",
    "DatasetFile",
    "DatasetVersion",
    "FileState",
    "PreviewState",
    "RecipePreview",
    "Tokenizer",
    "VersionState",
    "WordKind",
    "WordList",
]
