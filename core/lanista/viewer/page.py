"""One self-contained page for a recording: shell, renderer and game in one file that asks for nothing else."""

import html
import json
from importlib import resources

from lanista.viewer.recording import Recording

#: what could end a script element, or be read as more than text, inside a page
_ESCAPES = {ord(letter): f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def embed_json(value: object) -> str:
    """JSON that may stand inside a script element, whatever its texts hold."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)


def make_page(recording: Recording, script: str) -> str:
    """The page of a recording; `script` is the renderer of its env."""
    if "</script" in script.lower():
        raise ValueError("a renderer must not hold '</script', which ends its element")
    parts = resources.files("lanista.viewer")
    texts = {
        name: parts.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "page.js")
    }
    fill = {
        "title": html.escape(recording.title),
        "style": texts["page.css"],
        "shell": texts["page.js"],
        "renderer": script,
        "game": embed_json(recording.to_json()),
    }
    page = texts["page.html"]
    before, *rest = page.split("{{")
    pieces = [before]
    for part in rest:
        name, _, after = part.partition("}}")
        pieces += [fill[name], after]
    return "".join(pieces)
