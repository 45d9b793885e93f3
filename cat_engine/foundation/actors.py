"""Who acts, and what the acting person may do.

Roles are given to accounts; permissions are asked for by name. The table is data: the test that walks every
route as every role prints and checks it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from cat_engine.foundation.refusals import Refusal, Refused


class Role(StrEnum):
    """What an account (or a candidate's session) is in its agency."""

    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    CANDIDATE = "candidate"
    ITEM_WRITER = "item_writer"
    PANEL_CHAIR = "panel_chair"
    PANEL_MEMBER = "panel_member"
    PROCTOR = "proctor"
    PSYCHOMETRICIAN = "psychometrician"
    REVIEWER = "reviewer"
    TALENT_MANAGER = "talent_manager"


class Permission(StrEnum):
    """One act on one kind of object; alphabetical."""

    ACCOUNT_MANAGE = "account:manage"
    BANK_READ = "bank:read"
    BANK_REVIEW = "bank:review"
    BANK_WRITE = "bank:write"
    EXAM_SESSION_MANAGE = "exam_session:manage"
    EXAM_SESSION_PROCTOR = "exam_session:proctor"
    LEDGER_READ = "ledger:read"
    OWN_RESULT_READ = "own_result:read"
    PACKAGE_PUBLISH = "package:publish"
    PACKAGE_READ = "package:read"
    POSTING_MANAGE = "posting:manage"
    RESULT_RELEASE = "result:release"
    ROSTER_MANAGE = "roster:manage"
    SELECTION_READ = "selection:read"
    SITTING_ANSWER = "sitting:answer"
    SITTING_EXPORT = "sitting:export"
    TALENT_READ = "talent:read"


GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.ACCOUNT_MANAGE,
            Permission.EXAM_SESSION_MANAGE,
            Permission.ROSTER_MANAGE,
            Permission.PACKAGE_READ,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Permission.LEDGER_READ,
            Permission.PACKAGE_READ,
            Permission.SELECTION_READ,
            Permission.SITTING_EXPORT,
        }
    ),
    Role.CANDIDATE: frozenset({Permission.SITTING_ANSWER, Permission.OWN_RESULT_READ}),
    Role.ITEM_WRITER: frozenset({Permission.BANK_READ, Permission.BANK_WRITE}),
    Role.PANEL_CHAIR: frozenset(
        {Permission.SELECTION_READ, Permission.RESULT_RELEASE, Permission.SITTING_EXPORT}
    ),
    Role.PANEL_MEMBER: frozenset({Permission.SELECTION_READ}),
    Role.PROCTOR: frozenset({Permission.EXAM_SESSION_PROCTOR}),
    Role.PSYCHOMETRICIAN: frozenset(
        {
            Permission.BANK_READ,
            Permission.PACKAGE_READ,
            Permission.PACKAGE_PUBLISH,
            Permission.SITTING_EXPORT,
        }
    ),
    Role.REVIEWER: frozenset({Permission.BANK_READ, Permission.BANK_REVIEW}),
    Role.TALENT_MANAGER: frozenset({Permission.TALENT_READ, Permission.POSTING_MANAGE}),
}


@dataclass(frozen=True)
class Actor:
    """Somebody (or some program) acting in one agency.

    `subject_id` is the account of a member of staff, the roster entry of a candidate, or the name of a
    program.
    """

    subject_id: str
    agency_id: str
    name: str
    roles: frozenset[Role] = field(default_factory=frozenset)

    @property
    def label(self) -> str:
        """How ledger and sitting log name the actor: role and identity, no personal data."""
        if Role.CANDIDATE in self.roles:
            return f"candidate:{self.subject_id}"
        return f"staff:{self.subject_id}" if self.roles else f"system:{self.subject_id}"

    def may(self, permission: Permission) -> bool:
        """Whether one of the actor's roles grants it."""
        return any(permission in GRANTS[role] for role in self.roles)

    def require(self, permission: Permission) -> None:
        """Refuse unless one of the actor's roles grants it."""
        if not self.may(permission):
            raise Refused(Refusal.NOT_ALLOWED, permission=permission.value)


def system_actor(name: str, agency_id: str) -> Actor:
    """A program of ours acting on its own: the sweep that ends expired sittings, the demonstration loader."""
    return Actor(subject_id=name, agency_id=agency_id, name=name)
