"""The commands as an operator types them: processes, files, exit statuses."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

PROGRAM = (sys.executable, "-m", "web.cli")
SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def environment(folder: Path, **variables: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAT_ENGINE_")}
    return {**kept, "CAT_ENGINE_DATA_DIRECTORY": str(folder), **variables}


def run(*arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *arguments], env=env, capture_output=True, text=True, timeout=60, check=False
    )


@contextmanager
def running(*arguments: str, env: dict[str, str], url: str, log: Path) -> Iterator[None]:
    """A server from its first good health page to its end; what it prints goes to `log`."""
    with log.open("w") as output:
        process = subprocess.Popen([*PROGRAM, *arguments], env=env, stdout=output, stderr=output)
        try:
            deadline = time.monotonic() + 60
            while not is_healthy(url):
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, "the server did not come up"
                time.sleep(0.2)
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def is_healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.timeout(180)
def test_the_demonstration_serves_says_how_to_sign_in_and_keeps_its_data(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = environment(tmp_path, CAT_ENGINE_PORT=str(port))
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    with running("demo", env=env, url=url, log=first):
        sign_ins = json.loads((tmp_path / "sign-ins.json").read_text())
        proctor = next(person for person in sign_ins["staff"] if person["who"] == "pengawas")
        with httpx.Client(base_url=url, follow_redirects=True) as client:
            page = client.get("/staff/sign-in").text
            token = page.split('name="csrf_token" value="')[1].split('"')[0]
            form = {"csrf_token": token, "username": proctor["who"], "password": proctor["secret"]}
            assert client.post("/staff/sign-in", data=form).url.path == "/desk"
    printed = first.read_text()
    assert proctor["secret"] in printed
    assert url in printed
    assert len(sign_ins["candidates"]) == 12
    assert (tmp_path / "sign-ins.json").stat().st_mode & 0o077 == 0
    with running("demo", env=env, url=url, log=second):
        assert proctor["secret"] in second.read_text()


def test_a_database_that_is_served_is_not_served_twice(tmp_path: Path) -> None:
    port = free_port()
    env = environment(
        tmp_path,
        CAT_ENGINE_PORT=str(port),
        CAT_ENGINE_DATABASE_URL=f"sqlite+aiosqlite:///{tmp_path / 'exam.sqlite'}",
        CAT_ENGINE_SECRET_KEY=SECRET,
    )
    assert run("migrate", env=env).returncode == 0
    with running("serve", env=env, url=f"http://127.0.0.1:{port}", log=tmp_path / "serve.log"):
        refused = run("migrate", env=env)
    assert refused.returncode == 2
    assert "served by another process" in refused.stderr


def test_doctor_says_what_is_missing_and_how_to_mend_it(tmp_path: Path, database_url: str) -> None:
    env = environment(tmp_path, CAT_ENGINE_DATABASE_URL=database_url, CAT_ENGINE_SECRET_KEY=SECRET)
    before = run("doctor", env=env)
    assert before.returncode == 1
    assert "run `cat-engine migrate`" in before.stdout
    assert run("migrate", env=env).returncode == 0
    after = run("doctor", env=env)
    assert after.returncode == 0, after.stdout + after.stderr
    assert "FAIL" not in after.stdout
    assert "ledger chain" in after.stdout


def test_doctor_sees_an_absent_redis_and_a_probe_an_absent_server(tmp_path: Path, sqlite_url: str) -> None:
    env = environment(
        tmp_path,
        CAT_ENGINE_DATABASE_URL=sqlite_url,
        CAT_ENGINE_SECRET_KEY=SECRET,
        CAT_ENGINE_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0",
    )
    run("migrate", env=env)
    examined = run("doctor", env=env)
    assert examined.returncode == 1
    assert "FAIL redis" in examined.stdout
    probed = run("doctor", "--probe", f"http://127.0.0.1:{free_port()}/health", env=env)
    assert probed.returncode == 1
    assert "FAIL health" in probed.stdout


def test_settings_that_say_nothing_are_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    spoken = run("serve", env=environment(tmp_path))
    assert spoken.returncode == 2
    assert spoken.stderr.strip() == "cat-engine: CAT_ENGINE_DATABASE_URL is not set"


def test_replay_of_files_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{}")
    spoken = run(
        "replay", str(tmp_path / "package.json"), str(tmp_path / "x.json"), env=environment(tmp_path)
    )
    assert spoken.returncode == 2
    assert "cannot be read" in spoken.stdout
