"""What a data team writes in an afternoon, as the peer: pandas, datasketch, a random split. `pandas_peer.py IN OUT`.

It leaves out exact copies and near copies (MinHashLSH with datasketch's defaults), masks mail addresses by a pattern, and
splits 80-10-10. No groups, no ledger, no report, no leak check.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
from datasketch import MinHash, MinHashLSH

MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+")


def main() -> None:
    """Curate one JSONL file of messages."""
    frame = pd.read_json(sys.argv[1], lines=True)
    frame["text"] = [MAIL.sub("[EMAIL]", "\n".join(each["content"] for each in turns)) for turns in frame["messages"]]
    frame = frame.drop_duplicates("text").reset_index(drop=True)
    index, kept = MinHashLSH(), []
    for place, text in enumerate(frame["text"]):
        sketch = MinHash()
        sketch.update_batch([word.encode() for word in set(text.lower().split())])
        if not index.query(sketch):
            kept.append(place)
        index.insert(place, sketch)
    frame = frame.loc[kept].sample(frac=1, random_state=0)
    out = Path(sys.argv[2])
    out.mkdir(exist_ok=True)
    one, two = int(len(frame) * 0.8), int(len(frame) * 0.9)
    for name, part in (("train", frame[:one]), ("validation", frame[one:two]), ("test", frame[two:])):
        part.to_parquet(out / f"{name}.parquet")


if __name__ == "__main__":
    main()
