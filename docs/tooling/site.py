"""Hooks of mkdocs: what the pages need beyond what it does by itself.

- A page may link to a file of the repository that is no page (`../charts/berth/values.yaml`). On GitHub such a link works as it
  stands; in the site the file becomes a page of its own under `repository/`, so that no link leaves the site. A file that is not
  there fails the build.
- Formulas (`$...$`, as GitHub reads them) become MathML, which browsers draw by themselves: no script is loaded.
- Nothing is loaded from elsewhere: a page with a script, style sheet or font of another host fails the build.

Runs in the environment of mkdocs (docs/requirements.txt), not in that of Berth.
"""

from __future__ import annotations

import html
import posixpath
import re
from pathlib import Path
from typing import Any

from latex2mathml.converter import convert
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, InclusionLevel

ROOT = Path(__file__).parents[2]
FOLDER = "repository"
"""Of the site, for files that are no pages."""

WIDE = ("reference/kinds.md",)
"""Pages of long tables: they get the room of the table of contents."""

_LINK = re.compile(r"(!?\[(?:[^\[\]]|\[[^\]]*\])*\]\()([^)\s#]+)(#[^)\s]*)?\)")
_FENCE = re.compile(r"^(`{3,}|~{3,}).*?^\1\s*$", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
_FOREIGN = re.compile(r'<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="(?:https?:)?//(?!localhost)[^"]*"[^>]*>')
_LANGUAGES = {".yaml": "yaml", ".yml": "yaml", ".py": "python", ".json": "json", ".toml": "toml", ".sh": "sh"}


def on_files(files: Any, *, config: Any) -> Any:
    """Adds the files that pages link to."""
    wanted = [page.src_uri for page in files.documentation_pages()]
    seen: set[str] = set()
    while wanted:
        page = wanted.pop()
        for path in _outside(page, _text(page)):
            if path not in seen:
                seen.add(path)
                content = _page_of(path)
                files.append(File.generated(config, _uri(path), content=content, inclusion=InclusionLevel.NOT_IN_NAV))
                if path.endswith(".md"):
                    wanted.append(_uri(path))
    return files


def on_page_markdown(markdown: str, *, page: Any, config: Any, files: Any) -> str:
    """Links to files outside of docs/ go to their pages."""
    here = _place(page.file.src_uri)
    if page.file.src_uri in WIDE:
        page.meta["hide"] = ["toc"]

    def inside(link: re.Match[str]) -> str:
        path = _resolved(here, link[2])
        if path is None:
            return link[0]
        target = path.removeprefix("docs/") if path.startswith("docs/") else _uri(path)
        return f"{link[1]}{posixpath.relpath(target, posixpath.dirname(page.file.src_uri) or '.')}{link[3] or ''})"

    return _outside_fences(markdown, lambda text: _LINK.sub(inside, text))


def on_page_content(content: str, *, page: Any, config: Any, files: Any) -> str:
    return _FORMULA.sub(lambda found: convert(html.unescape(found[1])), content)


def on_post_page(output: str, *, page: Any, config: Any) -> str:
    foreign = [tag for tag in _FOREIGN.findall(output) if 'rel="canonical"' not in tag]
    if foreign:
        raise PluginError(f"{page.file.src_uri} loads from elsewhere: {foreign[0]}")
    return output


def _place(uri: str) -> str:
    """Where the source of a page is in the repository."""
    if uri.startswith(f"{FOLDER}/"):
        return uri.removeprefix(f"{FOLDER}/").removesuffix(".page.md")
    return f"docs/{uri}"


def _uri(path: str) -> str:
    """The page of a file: Markdown stays what it is, anything else becomes a page that shows it."""
    return f"{FOLDER}/{path}" if path.endswith(".md") else f"{FOLDER}/{path}.page.md"


def _text(uri: str) -> str:
    return (ROOT / _place(uri)).read_text() if uri.endswith(".md") else ""


def _resolved(here: str, target: str) -> str | None:
    """The path in the repository that a link of the file `here` means, if it needs help: it leaves docs/, or comes from
    outside of it."""
    if "://" in target or target.startswith(("mailto:", "/")):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
    if path.startswith("docs/") and here.startswith("docs/"):
        return None
    if not (ROOT / path).exists():
        raise PluginError(f"{here} links to {target}, which is not there")
    return path


def _outside(uri: str, text: str) -> list[str]:
    here = _place(uri)
    found = [_resolved(here, link[2]) for link in _LINK.finditer(_FENCE.sub("", text))]
    return [path for path in found if path is not None and not path.startswith("docs/")]


def _page_of(path: str) -> str:
    file = ROOT / path
    if path.endswith(".md"):
        return file.read_text()
    if file.is_dir():
        rows = "\n".join(f"- `{part.name}`" for part in sorted(file.iterdir()) if not part.name.startswith((".", "__")))
        return f"# {path}\n\nA folder of the repository:\n\n{rows}\n"
    fence = "````"
    return f"# {path}\n\n{fence}{_LANGUAGES.get(file.suffix, 'text')}\n{file.read_text().rstrip()}\n{fence}\n"


def _outside_fences(text: str, change: Any) -> str:
    made, at = [], 0
    for fence in _FENCE.finditer(text):
        made += [change(text[at : fence.start()]), fence[0]]
        at = fence.end()
    return "".join([*made, change(text[at:])])
