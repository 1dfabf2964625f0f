"""How people mistype English: which slips are likely, and the misspellings that have just one reading."""

from __future__ import annotations

import math

from datasets_app.curation.cleaning.words import listed

# Well-known misspellings, also of short words, whose right form nobody doubts.
_CERTAIN = listed(
    "teh=the hte=the adn=and nad=and taht=that tht=that thta=that wiht=with wtih=with waht=what whta=what yuo=you yoru=your "
    "thier=their becuase=because becasue=because beacuse=because recieve=receive recieved=received recieving=receiving "
    "seperate=separate seperately=separately definately=definitely definatly=definitely definitly=definitely "
    "occured=occurred occuring=occurring occurence=occurrence untill=until wich=which whcih=which truely=truly "
    "wierd=weird acheive=achieve beleive=believe freind=friend alot=a~lot tommorow=tomorrow tommorrow=tomorrow "
    "tomorow=tomorrow accross=across adress=address adresses=addresses arguement=argument begining=beginning "
    "calender=calendar cancelation=cancellation comming=coming commitee=committee completly=completely "
    "dissapear=disappear dissapointed=disappointed embarass=embarrass enviroment=environment existance=existence "
    "finaly=finally foward=forward goverment=government gaurantee=guarantee garantee=guarantee happend=happened "
    "immediatly=immediately immediatley=immediately independant=independent knowlege=knowledge liason=liaison "
    "maintenence=maintenance mispell=misspell neccessary=necessary necesary=necessary noticable=noticeable "
    "ocasion=occasion occassion=occasion persue=pursue posession=possession prefered=preferred "
    "publically=publicly reccomend=recommend recomend=recommend refered=referred relevent=relevant "
    "remeber=remember rember=remember sieze=seize succesful=successful successfull=successful "
    "sucessful=successful suprise=surprise tendancy=tendency therfore=therefore transfered=transferred "
    "transfering=transferring withdrawl=withdrawal withdrawls=withdrawals writting=writing reciept=receipt "
    "paymnet=payment acount=account acounts=accounts accont=account passwrod=password plase=please pelase=please "
    "shoud=should woudl=would coudl=could shoudl=should dosent=doesn't doesen't=doesn't dosn't=doesn't cna=can"
)
CERTAIN = {wrong: right.replace("~", " ") for wrong, right in (pair.split("=") for pair in _CERTAIN)}

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    (letter, other)
    for row, keys in enumerate(_ROWS)
    for at, letter in enumerate(keys)
    for next_row, first, last in ((row, at - 1, at + 1), (row - 1, at, at + 1), (row + 1, at - 1, at))
    if 0 <= next_row < len(_ROWS)
    for other in _ROWS[next_row][max(0, first) : last + 1]
    if other != letter
}
_VOWELS = frozenset("aeiouy")
SWAPPED, DOUBLED, LEFT_OUT, NEAR_KEY, VOWEL, ADDED, OTHER, FIRST, LAST = 2.5, 2.5, 1.0, 1.0, 1.0, 0.5, -1.5, -4.0, -1.5
SECOND_EDIT = math.log(1e-4)


def likelihood(written: str, meant: str) -> float:
    """Log-likelihood, up to a constant, that somebody who meant one word wrote the other (one or two edits away)."""
    start = 0
    while start < min(len(written), len(meant)) and written[start] == meant[start]:
        start += 1
    end = 0
    while end < min(len(written), len(meant)) - start and written[-1 - end] == meant[-1 - end]:
        end += 1
    wrong, right = written[start : len(written) - end], meant[start : len(meant) - end]
    edge = (FIRST if start == 0 else 0.0) + (LAST if end == 0 else 0.0)
    before = written[start - 1 : start]
    if len(wrong) == 2 and wrong == right[::-1]:
        return edge + SWAPPED
    if not wrong and len(right) == 1:
        return edge + (DOUBLED if right == before or right == meant[start + 1 : start + 2] else LEFT_OUT)
    if not right and len(wrong) == 1:
        return edge + (DOUBLED if wrong == before or wrong == written[start + 1 : start + 2] else ADDED)
    if len(wrong) == len(right) == 1:
        if (wrong, right) in _NEAR:
            return edge + NEAR_KEY
        return edge + (VOWEL if wrong in _VOWELS and right in _VOWELS else OTHER)
    return edge + SECOND_EDIT
