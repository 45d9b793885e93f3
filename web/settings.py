"""What the operator decides before the server starts: read once from the environment, then frozen.

Every name begins with CAT_ENGINE_. Values that open doors may be given as a file instead of a variable
(`CAT_ENGINE_SECRET_KEY_FILE`), as container orchestrators hand them out; a file and a variable together are
refused, since nobody could say which one counts.
"""

import ipaddress
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import msgspec

PREFIX: Final = "CAT_ENGINE_"
SECRET_KEY_MINIMUM_BYTES: Final = 32
_FLAG_WORDS: Final[Mapping[str, bool]] = {"1": True, "true": True, "0": False, "false": False, "": False}


class SettingsError(ValueError):
    """The environment does not say what the server needs, or says it twice."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The server's configuration."""

    database_url: str
    secret_key: bytes
    redis_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    data_directory: Path = Path("var")
    public_url: str = "http://127.0.0.1:8000"
    posting_origins: frozenset[str] = frozenset()  # where scores may be sent: "https://simpeg.example.go.id"
    dispatch: bool = True  # whether the server itself delivers postings; not beside `cat-engine worker`
    posting_private: bool = False  # whether such a place may be in the same machine room
    trusted_proxy: bool = False  # whether X-Forwarded-For was written by our own proxy

    def __post_init__(self) -> None:
        if len(self.secret_key) < SECRET_KEY_MINIMUM_BYTES:
            raise SettingsError(f"{PREFIX}SECRET_KEY needs at least {SECRET_KEY_MINIMUM_BYTES} bytes")
        parts = urlsplit(self.public_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise SettingsError(f"{PREFIX}PUBLIC_URL must be an http or https address")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise SettingsError(f"{PREFIX}PUBLIC_URL must be https, except on this machine itself")

    @property
    def secure_cookies(self) -> bool:
        """Whether the login cookie is Secure and carries the `__Host-` prefix.

        Chromium and Firefox accept both over plain http on the loopback interface, Safari and command-line
        clients do not; the plain name is therefore kept for a demonstration on one's own machine only.
        """
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """Host, and port where it is not the scheme's own, as a browser names it in Origin and Host."""
        return urlsplit(self.public_url).netloc


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def settings_from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings; `os.environ` is handed in by whoever starts the server."""
    database_url = _value(environment, "DATABASE_URL")
    secret_key = _value(environment, "SECRET_KEY")
    if database_url is None:
        raise SettingsError(f"{PREFIX}DATABASE_URL is not set")
    if secret_key is None:
        raise SettingsError(f"{PREFIX}SECRET_KEY is not set, nor {PREFIX}SECRET_KEY_FILE")
    host = _value(environment, "HOST") or "127.0.0.1"
    port = _port(_value(environment, "PORT") or "8000")
    return Settings(
        database_url=database_url,
        secret_key=secret_key.encode(),
        redis_url=_value(environment, "REDIS_URL") or None,
        host=host,
        port=port,
        data_directory=Path(_value(environment, "DATA_DIRECTORY") or "var"),
        public_url=(_value(environment, "PUBLIC_URL") or f"http://127.0.0.1:{port}").rstrip("/"),
        posting_origins=frozenset((_value(environment, "POSTING_ORIGINS") or "").split()),
        dispatch=_flag("DISPATCH", _value(environment, "DISPATCH") or "1"),
        posting_private=_flag("POSTING_PRIVATE", _value(environment, "POSTING_PRIVATE") or ""),
        trusted_proxy=_flag("TRUSTED_PROXY", _value(environment, "TRUSTED_PROXY") or ""),
    )


def _value(environment: Mapping[str, str], name: str) -> str | None:
    direct, path = environment.get(PREFIX + name), environment.get(f"{PREFIX}{name}_FILE")
    if direct is not None and path is not None:
        raise SettingsError(f"{PREFIX}{name} and {PREFIX}{name}_FILE are both set")
    if path is None:
        return direct
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"{PREFIX}{name}_FILE cannot be read: {error.strerror}") from error


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 0 <= int(text) <= 65535:
        raise SettingsError(f"{PREFIX}PORT must be a number from 0 to 65535")
    return int(text)


def _flag(name: str, text: str) -> bool:
    if text.lower() not in _FLAG_WORDS:
        raise SettingsError(f"{PREFIX}{name} must be 1 or 0")
    return _FLAG_WORDS[text.lower()]
