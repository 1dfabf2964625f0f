"""English words as a list: what is a word at all, what a name, and whether a text is English enough for English rules.

Words are those of the list that symspellpy ships (82,765 words with how often they occur). Knows no rule that uses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from importlib.resources import files


def listed(words: str) -> frozenset[str]:
    """A set from words with spaces between: long lists stay readable."""
    return frozenset(words.split())


WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# Chat words that dictionaries lack: not English enough to be spelled right, too English to be "corrected".
CHAT = listed(
    "ok okay pls plz thx tnx ur u im ive dont cant wont btw asap fyi lol omg idk imo hi hey yeah yep nope hmm gonna wanna gotta "
    "coulda woulda shoulda kinda sorta dunno gona rofl ppl msg wknd didn doesn isn wasn wouldn couldn "
    "url urls app apps faq iban atm sms pdf wifi login logins signup email emails covid chatbot chatbots blog blogs "
    "smartphone online offline id ids vs etc eg ie approx dept govt info max min qty apr usd eur gbp"
)
_COUNTRIES = sorted(
    listed("en_US en_GB en_IN en_IE de_DE es_ES es_MX fr_FR it_IT pt_BR pl_PL nl_NL tr_TR sv_SE id_ID vi_VN")
)
ENGLISH_SHARE = 0.6
ADDED_COUNT = 2_000_000
NO_MERE_NAME = 100_000_000  # a name that is written this often is a word, too


_AMERICAN_OR = re.compile(
    r"(fav|vap|rig|val|sav|har|arb|rum|hum|lab|ard|cand|glam|clam|flav|neighb|behavi|endeav|splend|parl|vig|arm|tum|col|hon|od)our"
)
_AMERICAN_L = re.compile(r"(?<=[aeiou]l)l(?=(?:ed|ing|ings|er|ers|or|ors)$)")
_AMERICAN = (("tre", "ter"), ("tres", "ters"), ("yse", "yze"), ("ysed", "yzed"), ("ysing", "yzing"), ("fence", "fense"))
# American words, and words of our time, that the list lacks.
_ADDED = listed(
    "math practicing practiced offenses artifact artifacts cozy anesthesia skeptic skeptical catalog catalogs aluminum airplane "
    "airplanes mom moms jewelry plow mustache pajamas orthopedic pediatric pediatrician maneuver encyclopedia diarrhea "
    "leukemia anemia installment installments enrollment fulfillment gotten anymore cannot bitcoin crypto cryptocurrency "
    "cryptocurrencies passcode passcodes chargeback chargebacks topup hashtag hashtags selfie selfies emoji emojis podcast "
    "podcasts freelancer freelancers startup startups livestream screenshot screenshots workflow workflows metadata timestamp "
    "javascript python docstring docstrings html css json api apis usb vpn gps timestamps"
)


@lru_cache(maxsize=1)
def frequencies() -> Mapping[str, int]:
    """English words in lower case and how often each occurs in a large collection of text.

    The list spells half of its words the British way; American forms are added beside those.
    """
    content = (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text(encoding="utf-8-sig")
    listed_words = {word: int(count) for word, count in (line.rsplit(" ", 1) for line in content.splitlines() if line)}
    found = dict.fromkeys(_ADDED, ADDED_COUNT)
    for word, count in listed_words.items():
        if (other := _american(word, listed_words)) != word:
            found[other] = count
    return found | listed_words


def _american(word: str, known: Mapping[str, int]) -> str:
    if "our" in word:
        return _AMERICAN_OR.sub(r"\1or", word)
    if "ll" in word and (shorter := _AMERICAN_L.sub("", word)) != word:
        base = re.sub(r"(?:ed|ing|ings|er|ers|or|ors)$", "", shorter)
        return shorter if base in known else word
    for british, american in _AMERICAN:
        if word.endswith(british):
            return word.removesuffix(british) + american
    return word


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """First and last names of people in lower case, of some twenty countries, from Faker's lists."""
    found: set[str] = set()
    for country in _COUNTRIES:
        person = import_module(f"faker.providers.person.{country}").Provider
        for attribute in dir(person):
            if attribute.startswith(("first_names", "last_names")):
                found.update(name.lower() for name in getattr(person, attribute))
    return frozenset(found)


def is_english_word(word: str) -> bool:
    """Whether a word, in any case and with or without a possessive, is in the list."""
    plain = word.lower().replace("’", "'")
    known = frequencies()
    return plain in known or plain in CHAT or plain.removesuffix("'s") in known


def looks_english(text: str) -> bool:
    """Whether at least six of ten words of three letters or more are English; true where there are none to judge by.

    Cheap, and enough to keep English rules off other languages: their texts share few of the longer words.
    """
    if not text.isascii() and sum(letter > "\u024f" for letter in text) > len(text) / 4:
        return False
    words = [word for word in WORD.findall(text) if len(word) > 2]
    return not words or sum(map(is_english_word, words)) >= ENGLISH_SHARE * len(words)
