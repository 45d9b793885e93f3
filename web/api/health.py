"""Whether the server can do its work: for the proxy, the container orchestrator and the operator."""

import asyncio
from typing import Any

import msgspec
from litestar import get
from litestar.response import Response
from sqlalchemy import text

from web.requests import WebRequest
from web.rules import MACHINE, PUBLIC
from web.services import Services, services_of

PATIENCE_S = 2.0


@get("/health", opt={**PUBLIC, **MACHINE})
async def health(request: WebRequest) -> Response[bytes]:
    """Ready (200) when the database answers; without Redis the server works on and says `degraded`."""
    services = services_of(request)
    database, redis = await asyncio.gather(_database(services), _redis(services))
    status = "unavailable" if database != "ok" else "degraded" if redis == "unreachable" else "ok"
    body: dict[str, Any] = {"status": status, "database": database, "redis": redis}
    return Response(
        msgspec.json.encode(body),
        status_code=503 if status == "unavailable" else 200,
        media_type="application/json",
    )


async def _database(services: Services) -> str:
    try:
        async with asyncio.timeout(PATIENCE_S), services.storage.reading() as connection:
            await connection.execute(text("SELECT 1"))
    except Exception:
        return "unreachable"
    return "ok"


async def _redis(services: Services) -> str:
    if services.settings.redis_url is None:
        return "not configured"
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(
        services.settings.redis_url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
    )
    try:
        async with asyncio.timeout(PATIENCE_S):
            await client.ping()
    except (RedisError, OSError, TimeoutError):
        return "unreachable"
    finally:
        await client.aclose()
    return "ok"


route_handlers = (health,)
