"""`cat-engine demo`: make what is missing, print how to sign in, serve."""

import asyncio
import os
import secrets
from pathlib import Path

import msgspec

from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.storage import Storage
from web.app import make_services
from web.commands.serving import serve
from web.database import load_tables, upgrade
from web.demonstration.loader import SignIns, is_loaded, load_demonstration
from web.settings import Settings, settings_from_environment

DATABASE = "demonstration.sqlite"
KEY = "secret.key"
SIGN_INS = "sign-ins.json"


def demo() -> None:
    """The whole command."""
    folder = Path(os.environ.get("CAT_ENGINE_DATA_DIRECTORY", "var"))
    folder.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("CAT_ENGINE_DATABASE_URL", f"sqlite+aiosqlite:///{(folder / DATABASE).absolute()}")
    if "CAT_ENGINE_SECRET_KEY" not in os.environ:
        os.environ.setdefault("CAT_ENGINE_SECRET_KEY_FILE", str(_key_file(folder / KEY)))
    settings = settings_from_environment(os.environ)
    _say("Preparing the demonstration ...")
    sign_ins = asyncio.run(_prepare(settings, folder / SIGN_INS))
    _print(settings, sign_ins)
    serve(settings)


def _key_file(path: Path) -> Path:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="ascii")
    return path


async def _prepare(settings: Settings, sign_ins_file: Path) -> SignIns:
    load_tables()
    storage = Storage(settings.database_url)
    services = make_services(settings, storage, SystemClock())
    try:
        storage.claim()
        await upgrade(storage)
        if not await is_loaded(services):
            _keep(sign_ins_file, await load_demonstration(services))
        return _kept(sign_ins_file)
    finally:
        services.passwords.close()
        await storage.close()


def _keep(path: Path, sign_ins: SignIns) -> None:
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(sign_ins), indent=1))


def _kept(path: Path) -> SignIns:
    return msgspec.json.decode(path.read_bytes(), type=SignIns)


def _print(settings: Settings, sign_ins: SignIns) -> None:
    url = settings.public_url
    _say(f"\n  cat-engine, demonstration data (CONTOH)      {url}\n")
    _say(f"  Staff sign in at {url}/staff/sign-in")
    for sign_in in sign_ins.staff:
        _say(f"    {sign_in.who:<12} {sign_in.secret:<26} {sign_in.name}")
    _say(f"\n  Candidates sign in at {url}/candidate/sign-in once `pengawas` has opened Sesi 2")
    for sign_in in sign_ins.candidates[:4]:
        _say(f"    {sign_in.who:<12} {sign_in.secret:<26} {sign_in.name}")
    _say(f"    and {len(sign_ins.candidates) - 4} more in {SIGN_INS} of the data directory\n")
    _say("  Stop with Ctrl-C. `make demo-reset` starts over.\n")


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - a command speaks on standard output
