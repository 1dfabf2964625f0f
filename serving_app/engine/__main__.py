"""The engine's command line. The only module here that reads the environment (`ENGINE_TOKEN`, `ENGINE_TOKEN_FILE`).

What a person can get wrong (the port, a folder) is checked before the heavy libraries are imported.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import ipaddress
import logging
import os
import socket
import sys
from pathlib import Path

from serving_app.engine.errors import EngineError
from serving_app.engine.folders import resolve_folder
from serving_app.engine.journal import JournalBusyError
from serving_app.engine.settings import DTYPES, EngineSettings

# How often a thread looks for its next product before it sleeps: about as long as the pause between two products. Less
# and it sleeps at each of them; the library's own 300,000 wait for milliseconds when another program holds the core.
SPINS = "5000"
# Products that oneDNN and PyTorch keep compiled, one for each shape. With their own 1,024 each, prompts of all lengths make
# a process of half a gigabyte one of almost two; 128 hold the shapes of steps of up to 32 rows, and speed is the same.
COMPILED = "128"


def main(arguments: list[str] | None = None) -> int:
    """Run the server; 0 after a clean stop, 1 with a sentence on standard error when it could not start."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    try:
        settings = EngineSettings(
            model_root=options.model_root,
            token=_token(),
            slots=options.slots,
            max_context=options.max_context,
            threads=options.threads,
            dtype=options.dtype,
            stuck_seconds=options.stuck_seconds,
            memory_limit=int(options.memory_gib * 2**30) if options.memory_gib else None,
        )
        _run(settings, options)
    except (EngineError, JournalBusyError, OSError) as error:
        print(f"The engine cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _token() -> str | None:
    """The bearer token, given as such or as the file that holds it. Errors: OSError with a sentence."""
    if token := os.environ.get("ENGINE_TOKEN", "").strip():
        return token
    path = os.environ.get("ENGINE_TOKEN_FILE")
    if not path:
        return None
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise OSError(f"ENGINE_TOKEN_FILE names {path}, which cannot be read ({why}).") from error
    if not token:
        raise OSError(f"ENGINE_TOKEN_FILE names {path}, which is empty.")
    return token


def _run(settings: EngineSettings, options: argparse.Namespace) -> None:
    for _, path in options.model:
        resolve_folder(settings.model_root, path, param="path")
    listener = _bind(options.host, options.port, is_open=settings.token is None)
    # Read once, when torch loads its libraries. See SPINS and COMPILED.
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", COMPILED)
    os.environ.setdefault("LRU_CACHE_CAPACITY", COMPILED)
    gc.disable()  # until `serve`: libraries come to stay, and to look among them for garbage takes a fifth of the start
    from transformers.utils.logging import disable_progress_bar

    from serving_app.engine.server import serve

    disable_progress_bar()
    asyncio.run(serve(settings, listener=listener, journal=options.journal, preload=options.model))


def _bind(host: str, port: int, *, is_open: bool) -> socket.socket:
    """A socket that holds the port but does not listen yet, so that early callers are refused and need not wait.

    Without a token (`is_open`) an address that other machines can reach is refused. Errors: OSError with a sentence.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}.") from error
    if is_open and not ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback:
        raise OSError(f"{host} can be reached by other machines. Set ENGINE_TOKEN, or listen on 127.0.0.1.")
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise OSError(f"cannot listen on {host}:{port}: {error.strerror}.") from error
    return listener


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m serving_app.engine", description="Serve models as OpenAI does.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--model-root", type=Path, required=True, help="models are only loaded from below this folder")
    parser.add_argument("--journal", type=Path, required=True, help="folder of the usage journal")
    parser.add_argument(
        "--model",
        type=_named_folder,
        action="append",
        default=[],
        metavar="NAME=FOLDER",
        help="load at start; the folder is absolute or relative to the model root",
    )
    parser.add_argument("--slots", type=_positive, default=32, help="sequences written at the same time")
    parser.add_argument("--max-context", type=_positive, default=2048, help="most tokens of prompt and answer")
    parser.add_argument("--threads", type=_positive, default=2, help="threads of the model's arithmetic")
    parser.add_argument("--dtype", choices=DTYPES, default="auto")
    parser.add_argument(
        "--stuck-seconds", type=_amount, default=60.0, help="no progress for so long: not ready; twice as long: it ends"
    )
    parser.add_argument(
        "--memory-gib", type=_amount, help="load no model that would take more (default: the machine's)"
    )
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _amount(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _named_folder(text: str) -> tuple[str, str]:
    name, found, folder = text.partition("=")
    if not (name and found and folder):
        raise argparse.ArgumentTypeError("must look like NAME=FOLDER")
    return name, folder


if __name__ == "__main__":
    sys.exit(main())
