"""The candidates: programs that sit a test over real HTTP and remember what the server acknowledged.

A candidate sends an answer again, the very same, until it is acknowledged. Acknowledged means what it means
to a person: the server showed what comes after the answer. What a candidate remembers is never read from the
server's database, so the two can be compared afterwards.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from cat_engine.delivery.rosters import Slip
from tests.faults.candidate_pages import Shown, read_page
from tests.faults.exam_day import now_ms

REPLY_LIMIT_S = 15.0
PAUSE_S = 0.15


@dataclass(frozen=True)
class Acknowledged:
    """An answer that the server said it has. `sent_ms` is when it was sent for the last time."""

    sitting_id: str
    position: int
    response: str
    attempts: int
    sent_ms: int


@dataclass(frozen=True)
class ClockReading:
    """What the page said was left; the server read its clock between `sent_ms` and `received_ms`."""

    sent_ms: int
    received_ms: int
    remaining_ms: int


@dataclass
class Memory:
    """What all candidates together know."""

    acknowledged: list[Acknowledged] = field(default_factory=list)
    forgotten: set[tuple[str, int]] = field(default_factory=set)
    contradictions: list[str] = field(default_factory=list)
    readings: dict[str, list[ClockReading]] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    attempts: int = 0
    begun: int = 0


class Candidate:
    """One candidate, one sitting."""

    def __init__(
        self,
        url: str,
        slip: Slip,
        memory: Memory,
        rng: random.Random,
        *,
        on_good: Callable[[int], None],
        think_s: float,
    ) -> None:
        self._client = httpx.AsyncClient(base_url=url, timeout=REPLY_LIMIT_S, trust_env=False)
        self._slip = slip
        self._memory = memory
        self._rng = rng
        self._on_good = on_good
        self._think_s = think_s
        self._uses_htmx = rng.random() < 0.5
        self._sitting_id = ""
        self._answered: dict[int, str] = {}
        self._words: dict[int, str] = {}
        self._is_done = False
        self.leave = asyncio.Event()

    async def sit(self) -> None:
        """From signing in to the last page, or until told to leave."""
        async with self._client:
            await self._sign_in()
            while not self._is_done and not self.leave.is_set():
                await self._step(await self._look())

    # ------------------------------------------------------------------------------------------- requests

    async def _ask(self, method: str, path: str, form: dict[str, str] | None = None) -> httpx.Response | None:
        """One request; None when the server was not there or could not."""
        sent_ms = now_ms()
        headers = {"HX-Request": "true"} if method == "POST" and self._uses_htmx else {}
        try:
            reply = await self._client.request(method, path, data=form, headers=headers)
        except httpx.TransportError:
            return None
        if reply.status_code >= 500:
            return None
        self._on_good(sent_ms)
        if reply.status_code == 200:
            self._read(reply, sent_ms)
        return reply

    async def _look(self, path: str = "") -> Shown:
        """The page that the sitting's state asks for, asked until it comes."""
        while True:
            reply = await self._ask("GET", path or f"/sittings/{self._sitting_id}")
            if reply is not None and reply.status_code == 303:
                self._memory.contradictions.append(
                    f"{self._slip.candidate_number}: signed in before, signed out now"
                )
                await self._sign_in()
            elif reply is not None and reply.status_code == 200:
                return read_page(reply.text)
            if self.leave.is_set():
                return Shown("other")
            await asyncio.sleep(PAUSE_S)

    def _read(self, reply: httpx.Response, sent_ms: int) -> None:
        """Compare what is shown with what was shown and acknowledged before."""
        page = read_page(reply.text)
        if page.remaining_ms is not None:
            readings = self._memory.readings.setdefault(self._sitting_id, [])
            readings.append(ClockReading(sent_ms, now_ms(), page.remaining_ms))
        if page.kind not in {"item", "form"} or not page.words:
            return
        before = self._words.setdefault(page.position, page.words)
        if before != page.words:
            self._memory.contradictions.append(f"{self._sitting_id}: another item at {page.position}")
        if page.position in self._answered and not page.is_answered:
            self._memory.forgotten.add((self._sitting_id, page.position))

    # ---------------------------------------------------------------------------------------------- steps

    async def _sign_in(self) -> None:
        while not self.leave.is_set():
            reply = await self._ask("GET", "/candidate/sign-in")
            if reply is not None:
                form = {
                    "csrf_token": read_page(reply.text).csrf_token,
                    "candidate_number": self._slip.candidate_number,
                    "pin": self._slip.pin,
                }
                reply = await self._ask("POST", "/candidate/sign-in", form)
            if reply is not None and reply.status_code == 303:
                reply = await self._ask("GET", "/sitting")
                if reply is not None and reply.status_code == 303:
                    self._sitting_id = reply.headers["location"].rsplit("/", 1)[1]
                    return
            await asyncio.sleep(PAUSE_S)

    async def _step(self, page: Shown) -> None:
        url = f"/sittings/{self._sitting_id}"
        token = {"csrf_token": page.csrf_token}
        match page.kind:
            case "identity":
                await self._ask("POST", f"{url}/identity", token)
            case "rules":
                await self._ask(
                    "POST", f"{url}/pledge", {**token, "text_hash": page.text_hash, "accepted": "1"}
                )
            case "device":
                await self._ask("POST", f"{url}/device", {**token, "javascript": "1", "clock_offset_ms": "0"})
            case "begin":
                self._memory.begun += 1
                await self._ask("POST", f"{url}/begin", token)
            case "item" | "form" if page.kind == "item" or not page.is_answered:
                await self._answer(page)
            case "form" | "review":
                asked = await self._look(f"{url}?go=review&asked=1")
                form = {**token, "confirm": "1", "section": asked.section}
                await self._ask("POST", f"{url}/finish", form)
            case "finished":
                self._memory.finished.add(self._sitting_id)
                self._is_done = True
            case _:
                await asyncio.sleep(PAUSE_S)

    async def _answer(self, page: Shown) -> None:
        """Send one answer until it is acknowledged, then go on with the item that the server showed."""
        while not self.leave.is_set():
            await asyncio.sleep(self._rng.uniform(0.0, 2.0 * self._think_s))
            following = await self._send(page, self._rng.choice(page.options))
            if following is None or following.kind != page.kind or following.is_answered:
                return
            page = following

    async def _send(self, page: Shown, response: str) -> Shown | None:
        """The next item when it came with the acknowledgement; None when the page must be asked for."""
        form = {"csrf_token": page.csrf_token, "presentation": str(page.position), "response": response}
        form |= {"go": "next"} if page.kind == "form" else {"confirm": "1"}
        attempts = 0
        while True:
            attempts += 1
            self._memory.attempts += 1
            sent_ms = now_ms()
            reply = await self._ask("POST", f"/sittings/{self._sitting_id}/responses", form)
            if reply is not None:
                break
            if self.leave.is_set():
                return None
            await asyncio.sleep(PAUSE_S)
        following = await self._following(page, reply)
        if following is None:
            return None
        known = Acknowledged(self._sitting_id, page.position, response, attempts, sent_ms)
        self._memory.acknowledged.append(known)
        self._answered[page.position] = response
        return following

    async def _following(self, page: Shown, reply: httpx.Response) -> Shown | None:
        """What comes after the answer, if that is what the server shows: the acknowledgement."""
        location = reply.headers.get("hx-redirect") or reply.headers.get("location") or ""
        if reply.status_code == 200 and not location:
            following = read_page(reply.text)
            return following if following.position > page.position or following.kind == "review" else None
        if "?ask_first=" in location or "?go=" in location:
            # the redirect itself says that the answer is in; the page behind it may come after a kill
            return Shown("other")
        if reply.status_code not in {200, 303}:
            return None
        following = await self._look()
        moved_on = following.kind in {"item", "form"} and following.position > page.position
        return following if moved_on or following.kind in {"review", "finished"} else None
