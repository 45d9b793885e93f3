"""The throw-away servers keep what they acknowledged, and leave no process and no directory behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.services.postgresql import PostgreSQL
from tests.services.redis import Redis

ROOT = Path(__file__).resolve().parents[2]


def test_postgresql_keeps_committed_rows_through_a_kill(own_postgresql_server: PostgreSQL) -> None:
    server = own_postgresql_server
    server.execute("CREATE TABLE kept (n int)")
    server.execute("INSERT INTO kept SELECT generate_series(1, 500)")
    server.kill()
    with pytest.raises(RuntimeError, match="refused"):
        server.execute("SELECT 1")
    server.restart()
    assert server.execute("SELECT count(*) FROM kept") == "500"


def test_redis_comes_back_empty_after_a_kill(own_redis_server: Redis) -> None:
    server = own_redis_server
    url = server.url
    server.ask("SET presence 1")
    assert server.ask("DBSIZE") == ":1"
    server.kill()
    assert not server.running
    server.restart()
    assert server.url == url
    assert server.ask("DBSIZE") == ":0"


def test_a_database_url_is_fresh_and_empty(postgresql_server: PostgreSQL, postgresql_url: str) -> None:
    database = postgresql_url.rsplit("/", 1)[1]
    assert postgresql_server.execute("SELECT count(*) FROM pg_stat_user_tables", database) == "0"


@pytest.mark.parametrize("kind", ["postgresql.PostgreSQL", "redis.Redis"])
def test_a_killed_test_run_leaves_nothing_behind(kind: str) -> None:
    module, name = kind.split(".")
    program = (
        f"import time; from tests.services.{module} import {name}; s = {name}().start();"
        "print(s.directory, s._process.pid, flush=True); time.sleep(60)"
    )
    run = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    directory, server_id = run.stdout.readline().split()
    assert psutil.pid_exists(int(server_id))
    os.kill(run.pid, signal.SIGKILL)
    run.communicate()
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline and (psutil.pid_exists(int(server_id)) or Path(directory).exists()):
        time.sleep(0.1)
    assert not psutil.pid_exists(int(server_id))
    assert not Path(directory).exists()
