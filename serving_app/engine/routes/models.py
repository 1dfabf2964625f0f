"""Which models are served; loading and unloading them."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from serving_app.engine.protocol.fields import Fields
from serving_app.engine.registry import ServedModel
from serving_app.engine.routes.wire import ENGINE, read_json


async def list_models(request: web.Request) -> web.Response:
    """All served models in the order in which they were loaded."""
    models = [model_body(served) for served in request.app[ENGINE].models.all()]
    return web.json_response({"object": "list", "data": models})


async def get_model(request: web.Request) -> web.Response:
    """One served model."""
    return web.json_response(model_body(request.app[ENGINE].models.find(request.match_info["name"])))


async def load_model(request: web.Request) -> web.Response:
    """Load a full model from below the model root; answers when it can be called."""
    fields = Fields(await read_json(request))
    name, path, digest = fields.need_text("name"), fields.need_text("path"), fields.text("digest")
    fields.finish()
    return web.json_response(model_body(await request.app[ENGINE].load(name=name, path=path, digest=digest)))


async def unload_model(request: web.Request) -> web.Response:
    """Stop serving a full model; what it is writing is finished."""
    return await _unload(request, field="name", adapter=False)


async def load_adapter(request: web.Request) -> web.Response:
    """Load a LoRA adapter under a name of its own, beside its base model."""
    fields = Fields(await read_json(request))
    name, path = fields.need_text("lora_name"), fields.need_text("lora_path")
    base = fields.need_text("base_model_name")
    fields.finish()
    return web.json_response(model_body(await request.app[ENGINE].load_adapter(name=name, path=path, base=base)))


async def unload_adapter(request: web.Request) -> web.Response:
    """Stop serving an adapter; what it is writing is finished."""
    return await _unload(request, field="lora_name", adapter=True)


def model_body(served: ServedModel) -> dict[str, Any]:
    """A model in OpenAI's shape with three more fields; `root` is its folder below the model root."""
    return {
        "id": served.name,
        "object": "model",
        "created": served.created,
        "owned_by": "gpt-studio",
        "digest": served.digest,
        "root": served.root,
        "parent": served.parent,
        "max_model_len": served.loaded.context,
    }


async def _unload(request: web.Request, *, field: str, adapter: bool) -> web.Response:
    fields = Fields(await read_json(request))
    name = fields.need_text(field)
    fields.finish()
    request.app[ENGINE].unload(name, adapter=adapter)
    return web.json_response({"id": name, "object": "model", "deleted": True})
