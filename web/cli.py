"""`cat-engine`: the one command, with a word for each thing it does.

Each command imports what it needs when it runs: `serve` only starts the supervisor, whose worker then imports
the application once, and every second of that is a second of an outage.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from web.commands import simulate_options
from web.settings import SettingsError, settings_from_environment

ZONES = ("WIB", "WITA", "WIT")


def main(arguments: list[str] | None = None) -> int:
    """Run a command; the exit status is 0 for success, 1 for "no", 2 for "could not"."""
    given = sys.argv[1:] if arguments is None else arguments
    options = _parser().parse_args(given)
    options.given = given
    try:
        return int(options.run(options) or 0)
    except SettingsError as error:
        _complain(str(error))
    except KeyboardInterrupt:
        return 130
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cat-engine",
        description="Computer-adaptive testing server. Settings come from CAT_ENGINE_* variables.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("serve", help="serve the application")
    command.add_argument("--host", help="address to listen on (default: CAT_ENGINE_HOST or 127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen on (default: CAT_ENGINE_PORT or 8000)")
    command.add_argument("--workers", type=int, default=1, help="processes (PostgreSQL only)")
    command.set_defaults(run=_serve)

    command = commands.add_parser("demo", help="load the demonstration once and serve it")
    command.set_defaults(run=_demo)

    command = commands.add_parser("worker", help="deliver postings and other promised work")
    command.set_defaults(run=_worker)

    command = commands.add_parser("migrate", help="bring the database to this release's schema")
    command.set_defaults(run=_migrate)

    command = commands.add_parser("create-agency", help="create an agency and its first administrator")
    command.add_argument("code", help="the agency's short code, such as KNL")
    command.add_argument("name", help="the agency's full name, as it stands on slips and reports")
    command.add_argument("--zone", required=True, choices=ZONES, help="its time")
    command.add_argument("--administrator", required=True, metavar="USERNAME", help="who signs in first")
    command.add_argument("--administrator-name", required=True, metavar="NAME", help="that person's name")
    command.set_defaults(run=_create_agency)

    command = commands.add_parser("replay", help="decide exported sittings again and compare bit for bit")
    command.add_argument("package", type=Path, help="the test package file")
    command.add_argument("sittings", type=Path, nargs="+", help="exported sitting files")
    command.set_defaults(run=_replay)

    command = commands.add_parser("simulate", help="run a test package on simulated candidates")
    simulate_options.add_arguments(command)
    command.set_defaults(run=_simulate)

    command = commands.add_parser("doctor", help="check a deployment")
    command.add_argument("--probe", metavar="URL", help="only ask a running server's health page")
    command.set_defaults(run=_doctor)
    return parser


def _serve(options: argparse.Namespace) -> None:
    from web.commands.serving import serve

    if options.host:
        os.environ["CAT_ENGINE_HOST"] = options.host
    if options.port:
        os.environ["CAT_ENGINE_PORT"] = str(options.port)
    serve(settings_from_environment(os.environ), workers=options.workers)


def _demo(_options: argparse.Namespace) -> int:
    from cat_engine.foundation.storage import DatabaseInUseError
    from web.commands.demo import demo

    try:
        demo()
    except DatabaseInUseError as error:
        return _in_use(error)
    return 0


def _worker(_options: argparse.Namespace) -> None:
    from web.commands.worker import work

    asyncio.run(work(settings_from_environment(os.environ)))


def _migrate(_options: argparse.Namespace) -> int:
    from cat_engine.foundation.storage import DatabaseInUseError, Storage
    from web.database import load_tables, upgrade

    async def run() -> None:
        load_tables()
        storage = Storage(settings_from_environment(os.environ).database_url)
        try:
            storage.claim()
            await upgrade(storage)
        finally:
            await storage.close()

    try:
        asyncio.run(run())
    except DatabaseInUseError as error:
        return _in_use(error)
    return 0


def _in_use(error: Exception) -> int:
    _complain(f"{error} is being served by another process; stop that one first")
    return 2


def _replay(options: argparse.Namespace) -> int:
    from web.commands.replaying import replay_files

    return replay_files(options.package, options.sittings)


def _simulate(options: argparse.Namespace) -> int:
    from web.commands.simulating import simulate

    return simulate(options, options.given)


def _create_agency(options: argparse.Namespace) -> int:
    from web.commands.agencies import AgencyError, create_agency

    settings = settings_from_environment(os.environ)
    try:
        password = asyncio.run(
            create_agency(
                settings,
                code=options.code,
                name=options.name,
                zone=options.zone,
                administrator=options.administrator,
                administrator_name=options.administrator_name,
            )
        )
    except AgencyError as error:
        _complain(str(error))
        return 1
    print(f"The agency is there. Sign in at {settings.public_url}/staff/sign-in")
    print(f"  user name  {options.administrator.strip().casefold()}")
    print(f"  password   {password}")
    print("The password is shown this once.")
    return 0


def _doctor(options: argparse.Namespace) -> int:
    from web.commands import doctor as doctoring

    if options.probe:
        checks = doctoring.probe(options.probe)
    else:
        checks = asyncio.run(doctoring.examine(settings_from_environment(os.environ)))
    for check in checks:
        mend = "" if check.passed else f"  -> {check.mend}"
        print(f"{'ok  ' if check.passed else 'FAIL'} {check.name:<24} {check.found}{mend}")
    return 0 if all(check.passed for check in checks) else 1


def _complain(text: str) -> None:
    print(f"cat-engine: {text}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
