"""Dataset, DatasetFile, DatasetVersion, Tokenizer."""

from datasets_app.models.dataset import Dataset, DatasetFile, FileState
from datasets_app.models.tokenizer import Tokenizer
from datasets_app.models.version import DatasetVersion, VersionState

__all__ = ["Dataset", "DatasetFile", "DatasetVersion", "FileState", "Tokenizer", "VersionState"]
