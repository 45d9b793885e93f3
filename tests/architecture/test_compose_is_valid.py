"""What docker-compose.yml describes fits the Compose Specification, our programs and our promises."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.architecture.tree import ROOT
from web.settings import settings_from_environment

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SCHEMA = Path(__file__).parent / "vendor" / "compose-spec.json"
PROGRAM = Path(sys.executable).parent / "cat-engine"
IMAGE = re.compile(r"[a-z0-9]+(?:[-/][a-z0-9]+)*:[A-Za-z0-9._${}:-]+")
OURS = ("migrate", "web", "worker")


@cache
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return loaded


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


@cache
def help_of(*command: str) -> str:
    done = subprocess.run([PROGRAM, *command, "--help"], check=True, capture_output=True, text=True, cwd=ROOT)
    return done.stdout


def test_the_file_fits_the_compose_specification() -> None:
    validator = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()))
    assert [
        f"{list(error.instance_path)}: {error.message}" for error in validator.iter_errors(compose())
    ] == []
    assert not validator.is_valid({**compose(), "services": {"web": {"imago": "x"}}})


@pytest.mark.parametrize("name", sorted(services()))
def test_every_service_is_locked_down(name: str) -> None:
    service = services()[name]
    assert IMAGE.fullmatch(service["image"]), service["image"]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"]), "no service runs as root"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert ("healthcheck" in service) != (service["restart"] == "no"), "what keeps running says how it is"


def test_every_name_that_is_used_is_declared() -> None:
    whole = compose()
    for service in services().values():
        assert set(service.get("networks", ())) <= set(whole["networks"])
        assert set(service.get("secrets", ())) <= set(whole["secrets"])
        assert set(service.get("depends_on", {})) <= set(whole["services"])
        mounted = {volume.split(":")[0] for volume in service.get("volumes", ())}
        assert mounted <= set(whole["volumes"])
        if "build" in service:
            assert re.search(rf"^FROM \S+ AS {service['build']['target']}$", DOCKERFILE, re.MULTILINE)


def test_the_database_cannot_be_reached_from_outside() -> None:
    inside = {name for name, network in compose()["networks"].items() if (network or {}).get("internal")}
    for name in ("postgres", "valkey"):
        assert set(services()[name]["networks"]) <= inside
        assert "ports" not in services()[name]
    assert [name for name, service in services().items() if "ports" in service] == ["proxy"]


@pytest.mark.parametrize("name", OURS)
def test_our_commands_and_their_options_exist(name: str) -> None:
    service = services()[name]
    commands = [service["command"]]
    if "healthcheck" in service:
        how, program, *arguments = service["healthcheck"]["test"]
        assert (how, program) == ("CMD", "cat-engine")
        commands.append(arguments)
    for command, *arguments in commands:
        assert re.search(rf"\b{command}\b", help_of()), f"cat-engine has no command {command}"
        for option in (argument for argument in arguments if argument.startswith("--")):
            assert option in help_of(command), f"cat-engine {command} has no option {option}"


def test_the_environment_makes_settings(tmp_path: Path) -> None:
    for name in ("database_url", "secret_key"):
        (tmp_path / name).write_text("x" * 64)
    environment = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value).replace("/run/secrets", str(tmp_path))
        for name, value in services()["web"]["environment"].items()
    }
    settings = settings_from_environment(environment)
    assert settings.public_url == "https://localhost"
    assert settings.trusted_proxy
    assert settings.secure_cookies
    assert settings.redis_url == "redis://valkey:6379/0"


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    script = tmp_path / "docs" / "deployment" / "make-secrets.sh"
    script.parent.mkdir(parents=True)
    script.write_bytes((ROOT / "docs" / "deployment" / "make-secrets.sh").read_bytes())
    subprocess.run(["/bin/sh", script], check=True, capture_output=True)
    folder = tmp_path / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    assert set(first) == set(compose()["secrets"])
    assert first["postgres_password"] in first["database_url"]
    assert len(first["secret_key"]) == 64
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    subprocess.run(["/bin/sh", script], check=True, capture_output=True)
    assert {path.name: path.read_text() for path in folder.iterdir()} == first


def test_the_image_is_built_from_pinned_requirements_and_runs_unprivileged() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert "PYTHONSAFEPATH=1" in DOCKERFILE
    final = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    assert final.startswith("python:3.13-slim AS application")
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert 'ENTRYPOINT ["cat-engine"]' in final


def test_the_build_sees_every_file_it_copies() -> None:
    let_in = {
        line.removeprefix("!").rstrip("/")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for names in copied for name in names.split()} == let_in
    assert sorted(name for name in let_in if not (ROOT / name).exists()) == []
