"""A signed POST to a record system of the agency: canonical JSON, an idempotency key, a receipt.

    POST <url>
    Content-Type: application/json          body: the report, RFC 8785
    Idempotency-Key, X-Timestamp (ms), X-Signature (see cat_engine.talent.signing)

| answer | taken as |
|---|---|
| 2xx with {"receipt_id": ...} | delivered (an `idempotency_key` in it must be ours) |
| 409 with {"idempotency_key": ours} | delivered before |
| other 4xx, redirects | refused for good |
| 408, 425, 429, 5xx, no answer, half an answer, something else | not this time; Retry-After is respected |
"""

import asyncio
import ssl
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache

import httpx
import msgspec
import rfc8785

from cat_engine.foundation.outbox import PermanentError, TransientError
from cat_engine.talent.connecting import DeliveryContext, Receipt, ScoreReportMessage
from cat_engine.talent.destinations import pin
from cat_engine.talent.signing import load_key, read_secret, sign

ANSWER_LIMIT_BYTES = 64 * 1024
TRANSIENT_STATUSES = frozenset({408, 425, 429})


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to, signed with which key file. `authority_file`: the authority of a private network."""

    url: str
    signing_key_file: str
    authority_file: str = ""
    connect_time_limit_s: float = 5.0
    time_limit_s: float = 20.0


class Answer(msgspec.Struct, frozen=True):
    """What we read of the other side's JSON."""

    receipt_id: str = ""
    idempotency_key: str = ""


async def deliver(report: ScoreReportMessage, settings: Settings, context: DeliveryContext) -> Receipt:
    """Send once and judge the answer."""
    key = await asyncio.to_thread(load_key, context.secrets_directory, settings.signing_key_file)
    trust = await asyncio.to_thread(_trust, settings, context)
    now_ms = context.clock.now_ms()
    body = rfc8785.dumps(msgspec.to_builtins(report))
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": report.idempotency_key,
        "X-Timestamp": str(now_ms),
        "X-Signature": sign(key, body, timestamp_ms=now_ms, idempotency_key=report.idempotency_key),
    }
    try:
        # httpx limits each read; a server that trickles one byte at a time meets this limit
        async with asyncio.timeout(settings.time_limit_s):
            response, content = await _post(settings, context, trust, headers, body)
    except TimeoutError as error:
        raise TransientError("time_limit") from error
    except (httpx.HTTPError, OSError) as error:
        raise TransientError(f"connection: {type(error).__name__}") from error
    return _judge(response, content, report.idempotency_key, now_ms)


def _trust(settings: Settings, context: DeliveryContext) -> ssl.SSLContext:
    if not settings.authority_file:
        return _public_trust()
    try:
        authority = read_secret(context.secrets_directory, settings.authority_file).decode("ascii")
        return ssl.create_default_context(cadata=authority)
    except (ValueError, ssl.SSLError) as error:
        raise PermanentError("authority_file_unusable") from error


@cache
def _public_trust() -> ssl.SSLContext:
    """The well-known authorities; read once, for it takes as long as a delivery."""
    return httpx.create_ssl_context()


async def _post(
    settings: Settings, context: DeliveryContext, trust: ssl.SSLContext, headers: dict[str, str], body: bytes
) -> tuple[httpx.Response, bytes]:
    destination = await pin(settings.url, context.destinations)
    limits = httpx.Timeout(settings.time_limit_s, connect=settings.connect_time_limit_s)
    # no proxy, no .netrc: the environment has no say in where scores go
    async with (
        httpx.AsyncClient(verify=trust, timeout=limits, follow_redirects=False, trust_env=False) as client,
        client.stream(
            "POST",
            destination.url,
            content=body,
            headers={**headers, "Host": destination.host_header, "Accept-Encoding": "identity"},
            extensions={"sni_hostname": destination.server_name},
        ) as response,
    ):
        content = b""
        async for piece in response.aiter_raw():
            content += piece
            if len(content) > ANSWER_LIMIT_BYTES:
                raise TransientError("answer_too_long")
        return response, content


def _judge(response: httpx.Response, content: bytes, idempotency_key: str, now_ms: int) -> Receipt:
    status = response.status_code
    if status in TRANSIENT_STATUSES or status >= 500:
        raise TransientError(f"status_{status}", retry_after_ms=_retry_after_ms(response, now_ms))
    answer = _answer(content)
    if status == 409 and answer.idempotency_key == idempotency_key:
        return Receipt(answer.receipt_id, idempotency_key, was_repeated=True)
    if not 200 <= status < 300:
        raise PermanentError(f"status_{status}")
    if not answer.receipt_id or answer.idempotency_key not in {"", idempotency_key}:
        raise TransientError("receipt_unreadable")
    return Receipt(answer.receipt_id[:200], idempotency_key)


def _answer(content: bytes) -> Answer:
    try:
        return msgspec.json.decode(content, type=Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Answer()


def _retry_after_ms(response: httpx.Response, now_ms: int) -> int:
    """Seconds or an HTTP date (RFC 9110, section 10.2.3); 0 when there is none that can be read."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return int(text[:9]) * 1000
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return 0
    at_ms = int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)
    return max(0, at_ms - now_ms)
