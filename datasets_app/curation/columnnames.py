"""What columns are usually called, by the part they play. Tables alone; names are compared as ``field_key`` gives them."""

from __future__ import annotations

from datasets_app.curation.speakers import SPEAKERS


def _words(names: str) -> tuple[str, ...]:
    return tuple(names.split())


TEXT_NAMES = _words("text sentence utterance message question query content body request comment review description")
LABEL_NAMES = _words("label category intent class topic tag sentiment labels queue department")
GROUP_NAMES = _words(
    "conversationid dialogueid dialogid convoid threadid sessionid ticketid caseid treeid customerid userid documentid "
    "docid chatid"
)
TALK_NAMES = _words("conversationid dialogueid dialogid convoid threadid sessionid ticketid caseid chatid")
SPEAKER_NAMES = _words("role speaker sender author from who participant")
TURN_NAMES = _words("turn turnnumber turnid turnindex position sequence order step")
TOOLS_NAMES = ("tools", "functions")
PAIRS = (
    ("instruction", "output", "alpaca"),
    ("instruction", "response", "alpaca"),
    ("prompt", "completion", "prompt_completion"),
    ("prompt", "response", "prompt_completion"),
    ("prompt", "answer", "prompt_completion"),
    ("input", "output", "prompt_completion"),
    ("question", "answer", "question_answer"),
    ("question", "answers", "question_answer"),
    ("question", "response", "question_answer"),
    ("customermessage", "agentreply", "prompt_completion"),
    ("customermessage", "reply", "prompt_completion"),
    ("customer", "agentreply", "prompt_completion"),
    ("customer", "agent", "prompt_completion"),
    ("user", "assistant", "prompt_completion"),
    ("message", "reply", "prompt_completion"),
    ("query", "response", "prompt_completion"),
    ("request", "response", "prompt_completion"),
    *(
        (*asked.split("/"), "question_answer")
        for asked in _words(
            "frage/antwort question/réponse question/reponse pregunta/respuesta pergunta/resposta domanda/risposta "
            "vraag/antwoord pytanie/odpowiedź вопрос/ответ 问题/答案 问题/回答 問題/答案 問題/回答 質問/回答 질문/답변"
        )
    ),
)
# A preferred answer and another one to the same question.
PREFERENCES = (
    ("preferredoutput", "nonpreferredoutput"),
    ("chosen", "rejected"),
    ("preferred", "rejected"),
    ("preferred", "dispreferred"),
    ("betteranswer", "worseanswer"),
)
ASKED_NAMES = ("input", "prompt", "question", "instruction", "query", "request")
ROLES = {name: role for name, role in SPEAKERS.items() if len(name) > 2 or name == "ai"}
ID_KEYS = _words("id messageid postid commentid tweetid ts uid mid nr itemid")
PARENT_KEYS = _words(
    "parentid parent replyto replytoid inreplyto inreplytoid inreplytomessageid inreplytostatusid inreplytotweetid "
    "inresponsetotweetid inresponseto threadts parentmessageid parentcommentid parentpostid answerto"
)
AUTHOR_KEYS = _words(
    "author authorid authorname user username userid sender senderid sendername from owner speaker participant "
    "postedby createdby displayname screenname role"
)
TEXT_KEYS = _words(
    "text body content message utterance comment selftext description fulltext post bodytext plainbody value question "
    "answer"
)
TIME_KEYS = _words("createdat createdutc timestamp time date sentat ts created postedat datetime turn position")
REPLY_KEYS = frozenset(
    _words("replies children comments answers responses posts conversationparts parts thread dialogue dialog turns "
           "messages chatmessages conversation utterances events")
)  # fmt: skip
