"""What the pages of signing in show."""

import msgspec

from web.candidate.views import FieldError
from web.language import NavigationLink


class StaffSignInView(msgspec.Struct, frozen=True, kw_only=True):
    """Username and password; after a refusal with the sentence of its cause."""

    sign_in_url: str
    candidate_url: str
    username: str = ""
    refusal_code: str = ""
    errors: tuple[FieldError, ...] = ()

    def error(self, field: str) -> str:
        """The sentence beside one field, or nothing."""
        return next((error.sentence for error in self.errors if error.field == field), "")


class EntryView(msgspec.Struct, frozen=True, kw_only=True):
    """The first page: who are you?"""

    candidate_url: str
    staff_url: str


class DeskView(msgspec.Struct, frozen=True, kw_only=True):
    """The first page of a member of staff: what the person's roles open."""

    name: str
    links: tuple[NavigationLink, ...]
