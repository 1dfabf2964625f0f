"""Which encoding a file is in."""

from __future__ import annotations

import pytest

from datasets_app.curation.errors import Refusal
from datasets_app.curation.readers.encoding import find_encoding


def decoded(path):
    encoding = find_encoding(path)
    return path.read_bytes().decode(encoding.name, encoding.errors)


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32", "utf-8"])
def test_unicode_files_are_read_as_they_were_written(write, name):
    text = "text,label\nGrüße 你好,a\n"
    assert decoded(write("a.csv", text.encode(name))) == text


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("id,name\n1,Λεωνιδας\n2,Αλεξανδρος\n3,Μυρων\n4,Ευστοργιος\n", "iso8859_7"),
        ("text,label\nКак вернуть деньги за покупку,возврат\nКарта не работает,карта\n", "cp1251"),
        ("text,label\nMüller zahlte 5 € für Brötchen,café\n", "cp1252"),
    ],
)
def test_old_national_encodings_are_recognised_and_told(write, text, name):
    path = write("a.csv", text.encode(name))
    assert decoded(path) == text
    assert find_encoding(path).findings[0].severity == "warning"


def test_stray_bytes_in_a_utf8_file_are_read_as_windows_and_counted(write):
    path = write("a.csv", "text\nGrüße an alle\n".encode() + b"caf\xe9\n")
    assert decoded(path).endswith("café\n")
    assert find_encoding(path).findings[0].count == 1


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b" \n ", "empty_file"),
        (b"PK\x03\x04rest", "binary_file"),
        (b"%PDF-1.7", "binary_file"),
        (b"text,label\n\x00\x01\x02,a\n", "binary_file"),
    ],
)
def test_what_is_no_text_is_refused_with_a_sentence(write, content, code):
    with pytest.raises(Refusal) as refused:
        find_encoding(write("a.csv", content))
    assert refused.value.code == code
    assert "a.csv" in refused.value.message
    assert refused.value.fix.endswith(".")


@pytest.mark.parametrize("name", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize(
    "text",
    [
        "问题,答案\n订单什么时候发货？我已经付款了,您好，明天发货，请耐心等待\n",
        "вопрос,ответ\nКогда отправят мой заказ?,Ваш заказ отправят завтра утром\n",
        "質問,回答\n注文した商品はいつ届きますか？,明日の午前中にお届けします\n",
    ],
)
def test_utf16_without_a_mark_is_told_by_its_letters_and_shown_as_a_guess(write, text, name):
    path = write("a.csv", text.encode(name))
    assert decoded(path) == text
    encoding = find_encoding(path)
    assert encoding.findings[0].severity == "warning" and name in encoding.findings[0].message
    assert encoding.alternatives[0] == (name, text.split("\n")[0])


def test_utf16_that_nobody_recognises_is_read_once_somebody_names_it(write):
    text = "प्रश्न,उत्तर\nमेरा ऑर्डर कब आएगा,कल सुबह\n"
    path = write("a.csv", text.encode("utf-16-le"))
    with pytest.raises(Refusal) as refused:
        find_encoding(path)
    assert "utf-16-le" in refused.value.fix
    encoding = find_encoding(path, given="utf-16-le")
    assert path.read_bytes().decode(encoding.name, encoding.errors) == text


def test_zero_bytes_in_plain_text_make_no_utf16(write):
    path = write("a.csv", b"text,label\n" + b"one\0two three four,a\nanother line of words,b\n" * 5)
    assert find_encoding(path).name == "utf-8"
