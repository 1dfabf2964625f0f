"""What to paste into a terminal or a program so that it asks a model. No secret stands in them: they read OPENAI_API_KEY."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

KEY_VARIABLE = "OPENAI_API_KEY"


@dataclass(frozen=True, slots=True)
class Snippet:
    """A way to ask. `needs` is the command that installs what it uses; empty where nothing is needed."""

    key: str
    title: str
    needs: str
    text: str


def snippets(*, base: str, name: str) -> list[Snippet]:
    """Each way to ask `name`, a model's or deployment's, at `base`, such as https://studio.example/v1."""
    address, model = json.dumps(base), json.dumps(name)
    body = json.dumps({"model": name, "messages": [{"role": "user", "content": "Hello"}]})
    return [
        Snippet("curl", "curl", "", _CURL.format(url=shlex.quote(f"{base}/chat/completions"), body=shlex.quote(body))),
        Snippet("python", "Python", "pip install openai", _PYTHON.format(base=address, model=model)),
        Snippet("javascript", "JavaScript", "npm install openai", _JAVASCRIPT.format(base=address, model=model)),
        Snippet("langchain", "LangChain", "pip install langchain-openai", _LANGCHAIN.format(base=address, model=model)),
    ]


_CURL = """\
curl --fail-with-body \\
  {url} \\
  -H "Authorization: Bearer $OPENAI_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d {body}
"""
_PYTHON = """\
from openai import OpenAI

# the key comes from OPENAI_API_KEY
client = OpenAI(base_url={base})
answer = client.chat.completions.create(
    model={model},
    messages=[{{"role": "user", "content": "Hello"}}],
)
print(answer.choices[0].message.content)
"""
_JAVASCRIPT = """\
import OpenAI from "openai";

// the key comes from OPENAI_API_KEY
const client = new OpenAI({{ baseURL: {base} }});
const answer = await client.chat.completions.create({{
  model: {model},
  messages: [{{ role: "user", content: "Hello" }}],
}});
console.log(answer.choices[0].message.content);
"""
_LANGCHAIN = """\
from langchain_openai import ChatOpenAI

# the key comes from OPENAI_API_KEY
chat = ChatOpenAI(base_url={base}, model={model})
print(chat.invoke("Hello").content)
"""
