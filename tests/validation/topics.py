"""The parts of the validation, in the order of the document."""

from __future__ import annotations

from collections.abc import Callable

from tests.validation import (
    adaptive,
    agreement,
    classification,
    exposure,
    fixed_forms,
    selection,
    several,
    shadow,
)
from tests.validation.findings import Effort, Say, Topic

TOPICS: dict[str, Callable[[Effort, Say], Topic]] = {
    "agreement": agreement.topic,
    "fixed_forms": fixed_forms.topic,
    "adaptive": adaptive.topic,
    "selection": selection.topic,
    "exposure": exposure.topic,
    "classification": classification.topic,
    "shadow": shadow.topic,
    "several": several.topic,
}
