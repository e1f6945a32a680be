"""The documentation of the HTTP face at /docs: plain HTML from our own OpenAPI document, no script at all."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from api.errors import language_of

router = APIRouter(include_in_schema=False)

_WORDS = {
    "zh": ("接口文档", "参数", "请求内容", "应答", "必填", "数据结构", "机器可读"),
    "en": ("HTTP interface", "Parameters", "Body", "Answer", "required", "Shapes", "Machine-readable"),
}

STYLE = """
body{font:15px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#1c2430;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.05rem;margin:2rem 0 .3rem;border-top:1px solid #d8dee6;padding-top:1rem}
code,pre{font:13px/1.5 ui-monospace,monospace}pre{background:#f4f6f9;padding:.7rem;overflow-x:auto}
table{border-collapse:collapse;width:100%}td{padding:.15rem .7rem .15rem 0;vertical-align:top}
.m{display:inline-block;min-width:4.2rem;font-weight:700}.q{color:#5b6675}
@media(prefers-color-scheme:dark){body{background:#14181f;color:#dde3ea}pre{background:#1d232c}
h2{border-color:#303947}.q{color:#98a3b3}}
"""


@router.get("/docs", response_class=HTMLResponse)
def docs(request: Request) -> HTMLResponse:
    """Every endpoint with its parameters, body and answers."""
    language = language_of(request.headers.get("accept-language"))
    return HTMLResponse(render(request.app.openapi(), language))


def render(document: dict[str, Any], language: str) -> str:
    """An OpenAPI document as one page in `zh` or `en` (its own texts stay English)."""
    title, *_, shapes, machine = _WORDS[language]
    endpoints = "".join(
        _endpoint(method, path, operation, language)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    schemas = "".join(
        f'<h2 id="{escape(name)}"><code>{escape(name)}</code></h2>'
        f"<p>{escape(schema.get('description', ''))}</p>" + _fields(schema, language)
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    )
    return (
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{title} · CityGrid</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style>'
        f"<h1>一图治城 · CityGrid: {title}</h1><p>{escape(document['info']['description'])}</p>"
        f'<p>{machine}: <a href="/openapi.json">/openapi.json</a></p>'
        f"{endpoints}<h1>{shapes}</h1>{schemas}</html>"
    )


def _endpoint(method: str, path: str, operation: dict[str, Any], language: str) -> str:
    _, parameters, body, answer, *_ = _WORDS[language]
    parts = [
        f'<h2><span class="m">{method.upper()}</span><code>{escape(path)}</code></h2>',
        f"<p>{escape(operation.get('description', ''))}</p>",
    ]
    if operation.get("parameters"):
        rows = "".join(_parameter(parameter, language) for parameter in operation["parameters"])
        parts.append(f'<p class="q">{parameters}</p><table>{rows}</table>')
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        parts.append(f'<p class="q">{body}: {escape(kind)} {_shape(content.get("schema", {}))}</p>')
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            shape = "".join(_shape(c.get("schema", {})) for c in response.get("content", {}).values())
            parts.append(f'<p class="q">{answer}: {status} {shape}</p>')
    return "".join(parts)


def _parameter(parameter: dict[str, Any], language: str) -> str:
    required = _WORDS[language][4] if parameter.get("required") else ""
    text = parameter.get("description") or parameter["schema"].get("description") or ""
    return (
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{_shape(parameter['schema'])}</td>"
        f'<td class="q">{required}</td><td>{escape(text)}</td></tr>'
    )


def _fields(schema: dict[str, Any], language: str) -> str:
    needed = set(schema.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_shape(field)}</td>"
        f'<td class="q">{_WORDS[language][4] if name in needed else ""}</td>'
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    )
    return f"<table>{rows}</table>"


def _shape(schema: dict[str, Any]) -> str:
    """A schema in a word or two; a named one as a link to its table."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}"><code>{name}</code></a>'
    if "anyOf" in schema:
        return " | ".join(_shape(choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"[{_shape(schema.get('items', {}))}]"
    return (
        f"<code>{escape(str(schema.get('format') or schema.get('title') or schema.get('type', '…')))}</code>"
    )
