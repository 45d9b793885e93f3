"""Accounts of staff: the list, a new one, one account."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy import select

from cat_engine.foundation.actors import Permission, Role
from cat_engine.foundation.refusals import Refusal, Refused
from web.access import Account, access_account
from web.accounts.staff import (
    STAFF_ROLES,
    create_account,
    new_password,
    replace_password,
    roles_by_account,
    set_disabled,
    set_roles,
)
from web.accounts.tables import accounts
from web.administrator.views import AccountLine, AccountListView, AccountView, PasswordView, RoleChoice
from web.candidate.views import FieldError
from web.pages import Page, render, translator_of
from web.refusals import STATUSES, field_error
from web.requests import WebRequest, read_form, typed_fields
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.ACCOUNT_MANAGE)
LIST_URL = "/administrator/accounts"
PATH = LIST_URL + "/{account_id:str}"


class NewAccountForm(msgspec.Struct, frozen=True, kw_only=True):
    """A new account."""

    username: Annotated[str, msgspec.Meta(max_length=80, pattern=r"^\s*[A-Za-z0-9][A-Za-z0-9._@-]{2,}\s*$")]
    name: Annotated[str, msgspec.Meta(max_length=200)]
    roles: tuple[Role, ...] = ()


class RolesForm(msgspec.Struct, frozen=True, kw_only=True):
    """All roles an account is to have."""

    roles: tuple[Role, ...] = ()


class SwitchForm(msgspec.Struct, frozen=True, kw_only=True):
    """Off or on."""

    disabled: bool


class EmptyForm(msgspec.Struct, frozen=True, kw_only=True):
    """A button without fields."""


@get(LIST_URL, opt=RULE)
async def account_list_page(request: WebRequest) -> Page:
    """The agency's accounts."""
    return await _show_list(request, (), "", "")


@post(LIST_URL, opt=RULE, status_code=200)
async def account_create(request: WebRequest) -> Page:
    """A new account with a generated password, shown this once."""
    services, password = services_of(request), new_password()
    try:
        form = await read_form(request, NewAccountForm)
        password_hash = await services.passwords.hash(password)
        async with services.storage.transaction() as connection:
            await create_account(
                connection,
                actor_of(request),
                username=form.username,
                name=form.name,
                roles=form.roles,
                password_hash=password_hash,
                now_ms=services.clock.now_ms(),
            )
    except Refused as refused:
        t, typed = translator_of(request), await typed_fields(request)
        error = field_error(t, refused)
        if refused.code is Refusal.CONFLICT:
            error = FieldError(field="username", sentence=t("administrator.accounts.username_taken"))
        shown = await _show_list(request, (error,), typed.get("username", ""), typed.get("name", ""))
        shown.status_code = STATUSES[refused.code]
        return shown
    view = PasswordView(
        username=form.username.strip(), name=form.name.strip(), password=password, back_url=LIST_URL
    )
    return render(request, "administrator/password.html", view)


@get(PATH, opt=RULE)
async def account_page(request: WebRequest, account_id: FromPath[str]) -> Page:
    """One account: its roles, its password, its switch."""
    async with services_of(request).storage.reading() as connection:
        account = await access_account(connection, actor_of(request), account_id)
        roles = (await roles_by_account(connection, [account.id])).get(account.id, ())
    return render(request, "administrator/account.html", _account_view(request, account, roles))


@post(PATH + "/roles", opt=RULE, status_code=303)
async def account_roles_set(request: WebRequest, account_id: FromPath[str]) -> Redirect:
    """Exactly the ticked roles."""
    services = services_of(request)
    async with services.storage.transaction() as connection:
        account = await access_account(connection, actor_of(request), account_id)
        form = await read_form(request, RolesForm)
        await set_roles(connection, actor_of(request), account.id, form.roles, services.clock.now_ms())
    return Redirect(f"{LIST_URL}/{account_id}", status_code=303)


@post(PATH + "/switch", opt=RULE, status_code=303)
async def account_switch(request: WebRequest, account_id: FromPath[str]) -> Redirect:
    """Off, which ends every login session of the account, or on."""
    services = services_of(request)
    async with services.storage.transaction() as connection:
        account = await access_account(connection, actor_of(request), account_id)
        form = await read_form(request, SwitchForm)
        await set_disabled(connection, actor_of(request), account.id, form.disabled, services.clock.now_ms())
    return Redirect(f"{LIST_URL}/{account_id}", status_code=303)


@post(PATH + "/password", opt=RULE, status_code=200)
async def account_password(request: WebRequest, account_id: FromPath[str]) -> Page:
    """A generated password instead of the old one, shown this once."""
    services, password = services_of(request), new_password()
    async with services.storage.reading() as connection:
        account = await access_account(connection, actor_of(request), account_id)
    await read_form(request, EmptyForm)
    password_hash = await services.passwords.hash(password)
    async with services.storage.transaction() as connection:
        await replace_password(
            connection, actor_of(request), account.id, password_hash, services.clock.now_ms()
        )
    view = PasswordView(
        username=account.username,
        name=account.name,
        password=password,
        back_url=f"{LIST_URL}/{account_id}",
    )
    return render(request, "administrator/password.html", view)


async def _show_list(request: WebRequest, errors: tuple[FieldError, ...], username: str, name: str) -> Page:
    async with services_of(request).storage.reading() as connection:
        statement = (
            select(accounts.c.id, accounts.c.username, accounts.c.name, accounts.c.is_disabled)
            .where(accounts.c.agency_id == actor_of(request).agency_id)
            .order_by(accounts.c.is_disabled, accounts.c.name, accounts.c.id)
        )
        rows = (await connection.execute(statement)).all()
        roles = await roles_by_account(connection, [row.id for row in rows])
    t = translator_of(request)
    view = AccountListView(
        accounts=tuple(
            AccountLine(
                url=f"{LIST_URL}/{row.id}",
                username=row.username,
                name=row.name,
                roles=tuple(t(f"accounts.role.{role}") for role in roles.get(row.id, ())),
                is_disabled=row.is_disabled,
            )
            for row in rows
        ),
        roles=_choices(()),
        create_url=LIST_URL,
        username=username,
        name=name,
        errors=errors,
    )
    return render(request, "administrator/accounts.html", view)


def _account_view(request: WebRequest, account: Account, roles: tuple[Role, ...]) -> AccountView:
    url = f"{LIST_URL}/{account.id}"
    return AccountView(
        username=account.username,
        name=account.name,
        is_disabled=account.is_disabled,
        is_self=account.id == actor_of(request).subject_id,
        roles=_choices(roles),
        roles_url=f"{url}/roles",
        password_url=f"{url}/password",
        switch_url=f"{url}/switch",
        back_url=LIST_URL,
    )


def _choices(chosen: tuple[Role, ...]) -> tuple[RoleChoice, ...]:
    return tuple(RoleChoice(role=role.value, chosen=role in chosen) for role in STAFF_ROLES)


route_handlers = (
    account_list_page,
    account_create,
    account_page,
    account_roles_set,
    account_switch,
    account_password,
)
