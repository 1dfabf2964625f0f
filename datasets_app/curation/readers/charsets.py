"""Which old encoding some bytes are in: each is tried, and what comes out is judged by how people write. No files.

A reading is judged by its characters beyond ASCII. A letter that a language uses counts for it, the more the more
frequent it is; signs in the middle of words, capitals after small letters and control characters count against it. The
letters are those of the languages' alphabets and of frequency tables of running text.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

FRENCH, GERMAN, SPANISH = "éèàçêùâîôûëïœü", "äöüß", "áéíóúñüªº"
LATIN = {
    "western": (
        (FRENCH, GERMAN, SPANISH, "áâãàçéêíóôõúü", "åäöéæø", "àèéìòù", "áéíóúýþæöð", "éëïöüè"),
        ("cp1252", "iso8859_15", "mac_roman", "cp850"),
    ),
    "central": (
        ("ąćęłńóśźż", "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "áéíóöőúüű", "ăâîşţ", "čćđšž", "äöüß"),
        ("cp1250", "iso8859_2", "cp852"),
    ),
    "turkish": (("çğıöşüâî",), ("cp1254",)),
    "baltic": (("āčēģīķļņšūž", "ąčęėįšųūž", "äõöüšž"), ("cp1257", "iso8859_13")),
}
ALPHABETS = {
    "cyrillic": (
        ("оеаинтсрвлкмдпу", "оаинвтеірслкмдп", "аоиетнрсвлкдпмъ"),
        "\u0400\u045f",
        ("cp1251", "koi8_u", "cp866", "iso8859_5", "mac_cyrillic"),
    ),
    "greek": (("αοιετσνρυκλςίάέόήύώ",), "\u0370\u03ff", ("iso8859_7", "cp1253")),
    "hebrew": (("יוהלאתרמבשנעדחק",), "\u05d0\u05ea", ("cp1255", "iso8859_8")),
    "arabic": (("اليمنوترهبعدسفكةأ",), "\u0621\u0652", ("cp1256", "iso8859_6")),
    "thai": (("านรอกเงมยลวดทตสคใไะีิ่้ัาู",), "\u0e01\u0e5b", ("cp874",)),
}
SIMPLIFIED = (
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当"
    "没动面起看定天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并"
    "物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几"
    "口认条平系气题活尔更别打女变四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社便空决治展马科司五基眼"
    "请您谢收单退款货买卖钱订帮助服客户消送发快递品价卡号吗呢吧"
)
TRADITIONAL = (
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年過發後作裡用道行所然家種事成方多經麼去法學如都同現當"
    "沒動面起看定天分還進好小部其些主樣理心她本前開但因只從想實日軍者意無力它與長把機十民第公此已工使情明性知全三又關點正業外將兩高間由問很最重並"
    "物手應戰向頭文體政美相見被利什二等產或新己制身果加西斯月話合回特代內信表化老給世位次度門任常先海通教兒原東聲提立及比員解水名真論處走義各入幾"
    "口認條平系氣題活爾更別打女變四神總何電數安少報才結反受目太量再感建務做接必場件計管期市直德資命山金指克許統區保至隊形社便空決治展馬科司五基眼"
    "請您謝收單退款貨買賣錢訂幫助服客戶消送快遞品價卡號嗎呢吧臺灣縣鄉鎮路段區"
)
JAPANESE = (
    "日一国会人年大十二本中長出三同時政事自行社見月分議後前民生連五発間対上部東者党地合市業内相方四定今回新場金員九入選立開手米力学問高代明実円関"
    "決子動京全目表戦経通外最言氏現理調体化田当八六約主題下首意法不来作性的要用制治度務強気小七成期公野協取都和統以機平総加山思家話世受区領多県続"
    "進正安設保改数記院女初北午指権心界支第産結百派点教報済書府活原先共得解名交資予川向際査勝面委告軍文反元重近千考判認画海参売利組知案道信策集在"
    "件団別物側任引使求所次水半品昨論計死官増係感特情投示変打男基私各始島直両朝革価式確村提運終挙果西勢減台広容必応演電歳住争談能無再位置企真流格"
    "注商届返金番号願教送客様購品便宅配"
)
KOREAN = (
    "이다는을가의에하고지도로서사기한를은인자시리어나대그들부해일수정원아과라장적제있여보상전구요마스주관에게니까면지만안것없않세오습할거될당신국경와"
    "으동공성연문조무회모방화생발소물내계실비교유용개중신간영금고객님환불송배문주요청확인감합겠"
)
HANZI = "\u4e00\u9fff"
EAST_ASIAN = {
    "big5": (TRADITIONAL, HANZI, "", ("big5", "cp950", "big5hkscs")),
    "gb18030": (SIMPLIFIED, HANZI, "", ("gb18030",)),
    "shift_jis": (JAPANESE, HANZI, "\u3041\u30fe", ("shift_jis", "cp932")),
    "euc_jp": (JAPANESE, HANZI, "\u3041\u30fe", ("euc_jp",)),
    "euc_kr": (KOREAN, "\uac00\ud7a3", "", ("euc_kr", "cp949")),
}
WIDE_SIGNS = "、。，！？：；「」『』（）《》“”‘’…—～【】·・々ー"
SIGNS = "“”‘’„‚–—…€«»°©®™·§¿¡²³½¼×±•£ªº\u00a0№"
LEAST = 0.15
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
USUAL = {"cp1252": 0.1, "mac_roman": -0.2, "cp850": -0.2, "cp852": -0.2, "cp866": -0.1, "mac_cyrillic": -0.2}


@dataclass(frozen=True, slots=True)
class Guess:
    """An encoding that reads the bytes, and how well the outcome looks: 1 like running text, below 0 like none."""

    name: str
    score: float


def guesses(sample: bytes) -> list[Guess]:
    """Encodings that may be meant, likeliest first; of equals, the more usual one. ``sample`` has bytes above 127."""
    found = [guess for guess in _tried(sample) if guess.score >= LEAST]
    doubt = 5 / (5 + sum(byte > 127 for byte in sample))  # what is usual weighs little once there is text to judge
    return sorted(found, key=lambda guess: -round(guess.score + doubt * USUAL.get(guess.name, 0.0), 3))


def likeness(text: str) -> float:
    """How well a text looks like one of the languages that are not written in Latin letters, as in `Guess`."""
    found = [_alphabet(text, languages, span) for languages, span, _names in ALPHABETS.values()]
    found += [
        _east_asian(text, frozenset(frequent), span, syllables) for frequent, span, syllables, _ in EAST_ASIAN.values()
    ]
    return max(found)


def _tried(sample: bytes) -> list[Guess]:
    found: list[Guess] = []
    for languages, names in LATIN.values():
        found += [Guess(name, _latin(text, languages)) for name in names if (text := _decoded(sample, name))]
    for languages, span, names in ALPHABETS.values():
        found += [Guess(name, _alphabet(text, languages, span)) for name in names if (text := _decoded(sample, name))]
    for frequent, span, syllables, names in EAST_ASIAN.values():
        for name in names:
            if text := _decoded(sample, name):
                found.append(Guess(name, _east_asian(text, frozenset(frequent), span, syllables)))
                break
    return found


def _decoded(sample: bytes, name: str) -> str | None:
    try:
        return sample.decode(name)
    except UnicodeDecodeError:
        return None


def _bad_sign(text: str, place: int) -> float:
    """The weight of a character that is no letter of the alphabet: fine between words, bad inside one."""
    letter = text[place]
    if unicodedata.category(letter) in ("Cc", "Cn", "Co"):
        return -3.0
    inside = place > 0 and text[place - 1].isalpha() and text[place + 1 : place + 2].isalpha()
    if letter in "’·":
        return 0.8
    if letter in "¿¡" and not inside:
        return 1.0 if text[place + 1 : place + 2].isalpha() else 0.2
    if letter not in SIGNS:
        return -1.0
    return -1.0 if inside else 0.5


def _is_odd_case(text: str, place: int) -> bool:
    """A capital right behind a small letter of its word."""
    before = text[place - 1 : place]
    return text[place].isupper() and before.islower()


def _latin(text: str, languages: tuple[str, ...]) -> float:
    places = [found.start() for found in _BEYOND_ASCII.finditer(text)]
    signs, in_words, alone = 0.0, Counter[str](), Counter[str]()
    for place in places:
        letter = text[place]
        if not letter.isalpha() or letter in "ªº":
            signs += _bad_sign(text, place)
        elif _is_odd_case(text, place):
            signs -= 1.0
        else:
            (in_words if _is_in_word(text, place) else alone)[letter.lower()] += 1
    best = max(
        sum(count * (1.0 if letter in language else -0.6) for letter, count in in_words.items())
        + sum(count * (0.5 if letter in language else -0.6) for letter, count in alone.items())
        for language in languages
    )
    return (signs + best) / max(1, len(places))


def _is_in_word(text: str, place: int) -> bool:
    return text[place - 1 : place].isalpha() or text[place + 1 : place + 2].isalpha()


def _alphabet(text: str, languages: tuple[str, ...], span: str) -> float:
    places = [found.start() for found in _BEYOND_ASCII.finditer(text)]
    signs, in_words = 0.0, Counter[str]()
    for place in places:
        letter = text[place].lower()
        if not span[0] <= letter <= span[1]:
            signs += _bad_sign(text, place)
        elif _is_odd_case(text, place) or _is_beside_latin(text, place):
            signs -= 1.0
        elif _is_in_word(text, place):
            in_words[letter] += 1
        else:
            signs += 0.2
    best = max(
        sum(count * (1.0 if letter in frequent else 0.3) for letter, count in in_words.items())
        for frequent in languages
    )
    return (signs + best) / max(1, len(places))


def _is_beside_latin(text: str, place: int) -> bool:
    beside = text[place - 1 : place] + text[place + 1 : place + 2]
    return any(letter.isascii() and letter.isalpha() for letter in beside)


def _east_asian(text: str, frequent: frozenset[str], span: str, syllables: str) -> float:
    wide = [letter for letter in text if letter > "\x7f"]
    total = 0.0
    for letter in wide:
        if letter in frequent or (syllables and syllables[0] <= letter <= syllables[1]):
            total += 1.0
        elif span[0] <= letter <= span[1]:
            total += 0.25
        elif letter in WIDE_SIGNS or "\uff01" <= letter <= "\uff5e":
            total += 0.5
        else:
            total -= 1.0
    return total / max(1, len(wide))
