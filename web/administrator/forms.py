"""What the forms that set up an exam share: showing a refused one again, and reading short texts."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from cat_engine.foundation.refusals import Refused
from web.administrator.setup_views import ShownRefusal
from web.language import Translator
from web.pages import translator_of
from web.refusals import refusal_sentence
from web.requests import WebRequest, typed_fields

Identity = Annotated[str, msgspec.Meta(max_length=36)]
Line = Annotated[str, msgspec.Meta(max_length=200)]


def one_line(text: str) -> str:
    """A title as rosters are compared with: trimmed, single spaces, no line break."""
    return " ".join(text.split())


def shown_refusal(t: Translator, refused: Refused) -> ShownRefusal:
    """Code, title and sentence of a refusal; a field with more to say has a sentence of its own."""
    field = str(refused.details.get("field", ""))
    key = f"administrator.refused.{refused.code.value}_{field}"
    return ShownRefusal(
        code=refused.code.value,
        title=t(f"refusals.{refused.code.value}.title"),
        sentence=t(key) if field and t.has(key) else refusal_sentence(t, refused.code),
        field=field,
    )


async def typed_again(request: WebRequest, refused: Refused) -> tuple[Mapping[str, str], ShownRefusal]:
    """What was typed and why it was refused, for the same form once more."""
    return await typed_fields(request), shown_refusal(translator_of(request), refused)
