"""Every route has a rule, and every route keeps it: as nobody, as every role, and from another agency."""

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from litestar.routes import HTTPRoute

from cat_engine.foundation.actors import GRANTS, Permission, Role
from tests.web.agency import SECRET_KEY, T0, Agency, add_agency
from tests.web.serving import Served, served
from web.accounts.principals import hash_token
from web.accounts.sessions import begin_candidate_session, begin_staff_session
from web.rules import RULE_NAMES
from web.security import csrf_token_for


@dataclass(frozen=True)
class Call:
    """One method of one address."""

    method: str
    path: str
    parameters: tuple[str, ...]
    rule: dict[str, Any]

    def address(self, ids: dict[str, str]) -> str:
        """The address with the agency's identities in it, an unknown one where it has none."""
        address = self.path
        for name in self.parameters:
            address = address.replace("{" + name + "}", ids.get(name, str(uuid.UUID(int=7))))
        return address


def calls_of(app: Any) -> Iterator[Call]:
    for route in app.routes:
        if not isinstance(route, HTTPRoute):
            yield Call("ASGI", route.path, (), {})
            continue
        names = tuple(parameter.name for parameter in route.path_parameters.values())
        parts = [
            "{" + part.name + "}" if not isinstance(part, str) else part for part in route.path_components
        ]
        for handler in route.route_handlers:
            for method in sorted(handler.http_methods - {"OPTIONS"}):
                yield Call(method, "/" + "/".join(parts), names, dict(handler.opt))


@pytest.fixture
async def places(sqlite_url: str) -> AsyncIterator[tuple[Served, Agency, Agency]]:
    async with served(sqlite_url) as server:
        yield server, await add_agency(server.storage, "satu"), await add_agency(server.storage, "dua")


async def ask(client: httpx.AsyncClient, call: Call, ids: dict[str, str], token: str) -> httpx.Response:
    """Send it as a program would, with the token of the forms where somebody is signed in."""
    headers = {"accept": "application/json"}
    if token:
        headers["cookie"] = f"session={token}"
        headers["x-csrf-token"] = csrf_token_for(SECRET_KEY, hash_token(token))
    return await client.request(call.method, call.address(ids), headers=headers)


async def token_for(server: Served, agency: Agency, role: Role, *, candidate: int = 1) -> str:
    """A fresh login session each time: some routes end the one they are called with."""
    async with server.storage.transaction() as connection:
        if role is Role.CANDIDATE:
            entry_id = f"entry-{agency.key}-{candidate}"
            return await begin_candidate_session(connection, entry_id, T0, None)
        return await begin_staff_session(connection, f"account-{agency.key}-{role.value}", T0, None)


def lacking(answer: httpx.Response) -> str:
    """What a refused actor is said to lack."""
    return str(answer.json()["details"].get("permission", ""))


def code_of(answer: httpx.Response) -> str:
    is_data = answer.headers.get("content-type", "").startswith("application/json")
    return str(answer.json().get("code", "")) if is_data and answer.status_code >= 400 else ""


async def test_every_route_declares_exactly_one_rule(places: tuple[Served, Agency, Agency]) -> None:
    server, _, _ = places
    calls = list(calls_of(server.app))
    assert len(calls) > 20
    for call in calls:
        told = RULE_NAMES & call.rule.keys()
        assert len(told) == 1, f"{call.method} {call.path} has the rules {sorted(told)}"
        if "permission" in call.rule:
            assert isinstance(call.rule["permission"], Permission)
        if "machine" in call.rule:
            assert "public" in call.rule, f"{call.path} is for programs but looks at the cookie"
        if "own_sitting" in call.rule:
            assert "sitting_id" in call.parameters


async def test_nobody_enters_where_somebody_must(places: tuple[Served, Agency, Agency]) -> None:
    server, satu, _ = places
    async with server.client() as client:
        for call in calls_of(server.app):
            answer = await ask(client, call, satu.ids, "")
            if "public" in call.rule:
                assert answer.status_code < 500, call
                assert code_of(answer) != "not_signed_in", call
            else:
                assert (answer.status_code, code_of(answer)) == (401, "not_signed_in"), call


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_gets_what_the_table_of_grants_says(
    places: tuple[Served, Agency, Agency], role: Role
) -> None:
    server, satu, _ = places
    async with server.client() as client:
        for call in calls_of(server.app):
            if "public" in call.rule:
                continue
            answer = await ask(client, call, satu.ids, await token_for(server, satu, role))
            told = (answer.status_code, code_of(answer))
            if "permission" in call.rule:
                may = call.rule["permission"] in GRANTS[role]
            else:
                may = "signed_in" in call.rule or role is Role.CANDIDATE
            if may:
                assert answer.status_code < 500, (call, told)
                assert told[1] not in {"not_signed_in", "form_expired"}, (call, told)
                # a policy may keep an act closed to everybody; a role's permission may not be what is missing
                assert told[1] != "not_allowed" or lacking(answer) not in set(Permission), (call, told)
            else:
                assert told == (403, "not_allowed"), (call, told)


@pytest.mark.parametrize("role", list(Role))
async def test_another_agency_reaches_no_object(places: tuple[Served, Agency, Agency], role: Role) -> None:
    """Known objects of the first agency, asked for by the second: refused, and told nothing about them."""
    server, satu, dua = places
    async with server.client() as client:
        for call in calls_of(server.app):
            if "public" in call.rule or not call.parameters:
                continue
            answer = await ask(client, call, satu.ids, await token_for(server, dua, role))
            assert 400 <= answer.status_code < 500, (call, answer.status_code)
            assert "satu" not in answer.text.replace(str(answer.url), ""), call


async def test_an_unknown_object_and_another_agencys_look_alike(
    places: tuple[Served, Agency, Agency],
) -> None:
    server, satu, dua = places
    async with server.client() as client:
        for call in calls_of(server.app):
            permission = call.rule.get("permission")
            if permission is None or not call.parameters or call.method != "GET":
                continue
            role = next(role for role in Role if permission in GRANTS[role])
            foreign = await ask(client, call, satu.ids, await token_for(server, dua, role))
            unknown = await ask(client, call, {}, await token_for(server, dua, role))
            assert (foreign.status_code, code_of(foreign)) == (404, "not_found"), call
            assert foreign.content == unknown.content, call


async def test_a_candidate_reaches_no_sitting_but_the_own(places: tuple[Served, Agency, Agency]) -> None:
    server, satu, _ = places
    async with server.client() as client:
        for call in calls_of(server.app):
            if "own_sitting" not in call.rule:
                continue
            token = await token_for(server, satu, Role.CANDIDATE, candidate=2)
            answer = await ask(client, call, satu.ids, token)
            assert (answer.status_code, code_of(answer)) == (404, "not_found"), call
