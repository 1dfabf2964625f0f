"""Writing data sets, files, uploads, recipes, previews and versions."""

from datasets_app.services.datasets import (
    archive_dataset,
    check_template,
    create_dataset,
    register_tokenizer,
    restore_dataset,
)
from datasets_app.services.decisions import decide_findings
from datasets_app.services.edits import create_edited_version, edit_row, exclude_rows, flag_rows, undo_edits
from datasets_app.services.erasing import (
    create_erased_versions,
    digest_of,
    erase_file,
    erase_version,
    erased_uploads,
    erased_versions,
    note_trace,
)
from datasets_app.services.files import (
    add_file,
    archive_file,
    claim_file,
    fail_file,
    finish_file,
    hold_file,
    restore_file,
)
from datasets_app.services.mappings import reread_file, set_mapping
from datasets_app.services.previews import (
    cancel_preview,
    claim_preview,
    create_preview,
    fail_preview,
    finish_preview,
    note_preview,
)
from datasets_app.services.recipes import archive_recipe, copy_recipe, create_recipe, restore_recipe, update_recipe
from datasets_app.services.restoring import (
    note_clear_text,
    note_download,
    note_file_download,
    note_first_rows,
    open_test_rows,
    restore_version,
)
from datasets_app.services.stale import requeue_stale
from datasets_app.services.uploads import (
    add_part,
    cancel_upload,
    complete_upload,
    ended_uploads,
    expire_uploads,
    start_upload,
)
from datasets_app.services.versions import (
    cancel_version,
    claim_version,
    create_version,
    fail_version,
    finish_version,
    note_progress,
    request_version_review,
    retry_version,
)
from datasets_app.services.words import add_words, remove_words, set_words
from datasets_app.services.written import forget_written

__all__ = [
    "add_file",
    "add_part",
    "add_words",
    "archive_dataset",
    "archive_file",
    "archive_recipe",
    "cancel_preview",
    "cancel_upload",
    "cancel_version",
    "check_template",
    "claim_file",
    "claim_preview",
    "claim_version",
    "complete_upload",
    "copy_recipe",
    "create_dataset",
    "create_edited_version",
    "create_erased_versions",
    "create_preview",
    "create_recipe",
    "create_version",
    "decide_findings",
    "digest_of",
    "edit_row",
    "ended_uploads",
    "erase_file",
    "erase_version",
    "erased_uploads",
    "erased_versions",
    "exclude_rows",
    "expire_uploads",
    "fail_file",
    "fail_preview",
    "fail_version",
    "finish_file",
    "finish_preview",
    "finish_version",
    "flag_rows",
    "forget_written",
    "hold_file",
    "note_clear_text",
    "note_download",
    "note_file_download",
    "note_first_rows",
    "note_preview",
    "note_progress",
    "note_trace",
    "open_test_rows",
    "register_tokenizer",
    "remove_words",
    "request_version_review",
    "requeue_stale",
    "reread_file",
    "restore_dataset",
    "restore_file",
    "restore_recipe",
    "restore_version",
    "retry_version",
    "set_mapping",
    "set_words",
    "start_upload",
    "undo_edits",
    "update_recipe",
]
