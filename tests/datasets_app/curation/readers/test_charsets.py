"""Old encodings, told by how the text looks."""

from __future__ import annotations

import pytest

from datasets_app.curation.readers.charsets import guesses
from datasets_app.curation.readers.encoding import find_encoding

SENTENCES = {
    "de": (
        "Die Lieferung ist beschädigt angekommen, können Sie die Rückerstattung überweisen?",
        "cp1252 cp850 mac_roman",
    ),
    "fr": ("Je n’ai pas reçu ma commande, merci de m’aider à régler ce problème dès que possible", "cp1252 mac_roman"),
    "es": ("¿Dónde está mi pedido? Nadie me contestó el teléfono, señor, y llevo más de una semana", "cp1252 cp850"),
    "pl": ("Proszę o zwrot pieniędzy za źle wysłaną paczkę, zawartość była święto, żółty, Łódź", "cp1250 iso8859_2"),
    "cs": ("Moje objednávka ještě nedorazila, můžete zjistit, kde je? Příliš žluťoučký kůň", "cp1250 iso8859_2"),
    "hu": ("A megrendelt csomag még mindig nem érkezett meg. Őszinte tűrőképesség, jó napot", "cp1250 iso8859_2"),
    "tr": ("Siparişim hâlâ gelmedi, lütfen paranın iadesini sağlayın, çok üzgünüm. İyi günler", "cp1254"),
    "ru": ("Здравствуйте, мой заказ до сих пор не пришёл, верните деньги на карту", "cp1251 koi8_r cp866 iso8859_5"),
    "el": ("Η παραγγελία μου δεν έχει φτάσει ακόμα, θέλω τα χρήματά μου πίσω", "iso8859_7 cp1253"),
    "he": ("שלום, ההזמנה שלי עדיין לא הגיעה ואני רוצה החזר כספי בבקשה", "cp1255"),
    "ar": ("مرحبا، لم يصل طلبي حتى الآن وأريد استرداد المبلغ من فضلكم", "cp1256 iso8859_6"),
    "th": ("สวัสดีครับ สินค้าของผมยังไม่มาถึง ขอเงินคืนด้วยครับ", "cp874"),
    "zh-TW": ("您好，我的訂單到現在還沒有收到，請問可以退款嗎？謝謝您的幫忙", "big5"),
    "zh-CN": ("您好，我的订单到现在还没有收到，请问可以退款吗？谢谢您的帮助", "gb18030 gbk"),
    "ja": ("注文した商品がまだ届いていません。返金をお願いできますか。", "shift_jis euc_jp iso2022_jp"),
    "ko": ("안녕하세요, 주문한 상품이 아직 도착하지 않았습니다. 환불해 주시겠어요?", "euc_kr"),
}
CASES = [(text, name) for text, names in SENTENCES.values() for name in names.split()]


@pytest.mark.parametrize(("text", "name"), CASES, ids=[name for _text, name in CASES])
@pytest.mark.parametrize("rows", [1, 30])
def test_text_comes_out_as_it_was_written(write, text, name, rows):
    lines = [f'{number},"Order {number} was placed via the web shop: {text}",shipping' for number in range(rows)]
    content = "\n".join(["id,text,label", *lines, ""])
    found = find_encoding(path := write("a.csv", content.encode(name)))
    assert path.read_bytes().decode(found.name, found.errors) == content
    assert found.findings[0].severity == "warning"
    assert found.alternatives[0][0] == found.name


@pytest.mark.parametrize(
    "text", ["café", "it’s fine", "£5 refund", "25°C", "price 5 €", "– “quote”", "MÜNCHEN", "½ cup"]
)
def test_a_single_sign_beyond_ascii_is_windows_first_of_all(text):
    assert guesses(text.encode("cp1252"))[0].name == "cp1252"


def test_an_encoding_that_a_person_names_is_used_even_where_it_does_not_fit(write):
    path = write("a.csv", "text\n退款\n".encode("big5"))
    found = find_encoding(path, given="ascii")
    assert (found.name, found.errors) == ("ascii", "backslashreplace")
    assert "\\xNN" in found.findings[0].message


@pytest.mark.parametrize(("written", "named"), [("utf-8-sig", "utf-8"), ("utf-8-sig", "UTF8"), ("utf-16", "utf-16-le")])
def test_a_mark_at_the_beginning_is_no_letter_whoever_names_the_encoding(write, written, named):
    path = write("a.csv", "question,answer\n".encode(written))
    found = find_encoding(path, given=named)
    assert path.read_bytes().decode(found.name) == "question,answer\n"


def test_foreign_letters_far_from_the_beginning_are_found(write):
    path = write("a.csv", b"id,text\n" + b"1,plain\n" * 300_000 + "2,退款到帳了嗎？謝謝您的幫忙\n".encode("big5"))
    assert find_encoding(path).name == "big5"


def test_a_few_zero_bytes_are_told_and_cost_no_row(write):
    found = find_encoding(write("a.csv", b"text,label\n" + b"one two,a\n" * 20 + b"one\0two,b\n"))
    assert found.name == "utf-8"
    assert "zero bytes" in found.findings[0].message
