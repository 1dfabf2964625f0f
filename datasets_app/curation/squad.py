"""Reading questions nested in paragraphs (SQuAD's shape), as one record a question. Knows no file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from datasets_app.curation.rows import Problem, Record


def is_squad(values: Mapping[str, object]) -> bool:
    """Whether a record is an article: paragraphs, each with a context and questions."""
    paragraphs = values.get("paragraphs")
    first = paragraphs[0] if isinstance(paragraphs, list) and paragraphs else None
    return isinstance(first, Mapping) and isinstance(first.get("qas"), list) and "context" in first


def expand_squad(records: Iterator[Record | Problem]) -> Iterator[Record | Problem]:
    """Yield ``title``, ``paragraph`` (a key), ``context``, ``question`` and ``answer`` for every question.

    The answer is the first one given; a question that has none is a problem.
    """
    row = 0
    for record in records:
        if isinstance(record, Problem):
            yield record
            continue
        for place, paragraph in enumerate(_objects(record.values.get("paragraphs"))):
            for question in _objects(paragraph.get("qas")):
                yield _question(row, record, place, paragraph, question)
                row += 1


def _objects(value: object) -> list[Mapping[str, object]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []


def _question(
    row: int, record: Record, place: int, paragraph: Mapping[str, object], question: Mapping[str, object]
) -> Record | Problem:
    asked, context = str(question.get("question") or ""), str(paragraph.get("context") or "").lstrip("\ufeff")
    answers = [str(answer["text"]) for answer in _objects(question.get("answers")) if answer.get("text")]
    title = str(record.values.get("title") or f"article {record.row}")
    if not answers:
        detail = f"A question of paragraph {place + 1:,} of article {record.row + 1:,} has no answer there."
        return Problem(row, record.line, "no_answer", detail, asked, (record.row,))
    values = {"title": title, "paragraph": f"{record.row}.{place}", "context": context, "question": asked}
    return Record(row, record.line, {**values, "answer": answers[0]}, (record.row,))
