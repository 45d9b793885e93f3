"""The files a browser fetches once: style sheets, scripts, the typeface, pictures.

At the start of the server the folder `static` is read once and turned into a table of finished files. Style
sheets and scripts are joined into one file per audience; every name carries a hash of its content, so a file
may be kept by the browser for ever and a new release is never mixed with an old one. Nothing here serves
anything: the composition root mounts the table.

A style sheet names another file as `url("asset:fonts/name.woff2")`; the reference becomes the hashed address.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

STATIC_FOLDER: Final = Path(__file__).parent / "static"
URL_PREFIX: Final = "/static/"
CACHE_CONTROL: Final = "public, max-age=31536000, immutable"

_MEDIA_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_COMPRESSED: Final = frozenset({".css", ".js", ".svg", ".json", ".txt"})
_REFERENCE: Final = re.compile(r'url\("asset:([^"]+)"\)')
_CSS_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
_SITE_STYLES: Final = ("layers.css", "tokens.css", "base.css", "layout.css")


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One finished file."""

    name: str
    url: str
    content: bytes
    compressed: bytes | None
    media_type: str
    integrity: str

    @property
    def headers(self) -> dict[str, str]:
        """What the response says about itself besides its length and encoding."""
        return {
            "Content-Type": self.media_type,
            "Cache-Control": CACHE_CONTROL,
            "ETag": f'"{self.integrity.removeprefix("sha256-")}"',
            "X-Content-Type-Options": "nosniff",
        }


class UnknownAsset(KeyError):
    """A template asked for a file that the static folder does not make."""


class AssetTable:
    """Every finished file; templates call it for an address: `asset("site.css")`."""

    __slots__ = ("_by_name", "_by_url")

    def __init__(self, assets: Iterable[Asset]) -> None:
        self._by_name: Mapping[str, Asset] = {asset.name: asset for asset in assets}
        self._by_url: Mapping[str, Asset] = {asset.url: asset for asset in self._by_name.values()}

    def __call__(self, name: str) -> str:
        """The address of a file by its plain name."""
        return self.get(name).url

    def get(self, name: str) -> Asset:
        """A file by its plain name."""
        try:
            return self._by_name[name]
        except KeyError:
            raise UnknownAsset(f"no static file is called {name!r}") from None

    def integrity(self, name: str) -> str:
        """The value of the `integrity` attribute of a script or style sheet."""
        return self.get(name).integrity

    def find(self, url: str) -> Asset | None:
        """The file behind a requested address, or None; only addresses of this release are known."""
        return self._by_url.get(url)

    def names(self) -> tuple[str, ...]:
        """All plain names, sorted."""
        return tuple(sorted(self._by_name))


def build_assets(folder: Path = STATIC_FOLDER) -> AssetTable:
    """Read the static folder and finish every file in it."""
    plain = [
        _finish(path.relative_to(folder).as_posix(), path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.relative_to(folder).parts[0] not in {"css", "js"}
        and path.name != "manifest.json"
    ]
    urls = {asset.name: asset.url for asset in plain}
    styles = [
        _finish(name, _join_styles(paths, urls)) for name, paths in _style_bundles(folder / "css").items()
    ]
    scripts = [_finish(name, _join_scripts(paths)) for name, paths in _script_bundles(folder / "js").items()]
    return AssetTable([*plain, *styles, *scripts])


def _style_bundles(folder: Path) -> dict[str, list[Path]]:
    """`site.css` is the design system; every other folder is the sheet of one audience."""
    bundles = {
        "site.css": [folder / name for name in _SITE_STYLES] + sorted((folder / "components").glob("*.css"))
    }
    for audience in sorted(path for path in folder.iterdir() if path.is_dir() and path.name != "components"):
        bundles[f"{audience.name}.css"] = sorted(audience.glob("*.css"))
    return bundles


def _script_bundles(folder: Path) -> dict[str, list[Path]]:
    """A folder of scripts is one file; a script beside the folders stands alone."""
    bundles = {
        f"{path.name}.js": sorted(path.glob("*.js")) for path in sorted(folder.iterdir()) if path.is_dir()
    }
    return bundles | {path.name: [path] for path in sorted(folder.glob("*.js"))}


def _join_styles(paths: Iterable[Path], urls: Mapping[str, str]) -> bytes:
    def address(reference: re.Match[str]) -> str:
        name = reference.group(1)
        if name not in urls:
            raise UnknownAsset(f"a style sheet names {name!r}, which is not there")
        return f'url("{urls[name]}")'

    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    text = _REFERENCE.sub(address, _CSS_COMMENT.sub("", text))
    return _without_indentation(text).encode()


def _join_scripts(paths: Iterable[Path]) -> bytes:
    """Each script gets a scope of its own; lines that are only a comment stay in the source."""
    scopes = []
    for path in paths:
        lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
        code = "\n".join(line for line in lines if line and not line.startswith("//"))
        scopes.append(f'(() => {{\n"use strict";\n{code}\n}})();\n')
    return "".join(scopes).encode()


def _without_indentation(text: str) -> str:
    return "\n".join(line.strip() for line in text.splitlines() if line.strip()) + "\n"


def _finish(name: str, content: bytes) -> Asset:
    digest = hashlib.sha256(content)
    path = Path(name)
    suffix = path.suffix
    hashed = path.with_name(f"{path.stem}.{digest.hexdigest()[:12]}{suffix}").as_posix()
    return Asset(
        name=name,
        url=URL_PREFIX + hashed,
        content=content,
        compressed=gzip.compress(content, 9, mtime=0) if suffix in _COMPRESSED else None,
        media_type=_MEDIA_TYPES[suffix],
        integrity="sha256-" + base64.b64encode(digest.digest()).decode(),
    )
