"""The form an item has when its writer hands it over, before the item bank gives it an identity and a
version."""

from __future__ import annotations

import msgspec


class ItemBody(msgspec.Struct, frozen=True, kw_only=True):
    """What a candidate sees of an item in one language. HTML fragments from a small safe subset
    (p, strong, em, table/caption/thead/tbody/tr/th/td, svg figure subset, math not needed); options in
    canonical order."""

    stimulus: str = ""  # shared material shown above the stem (table, figure, passage), "" when none
    stem: str
    options: tuple[str, ...]


class DraftItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item as its writer made it, before it enters the bank."""

    code: str  # stable, unique: "CONTOH-DB-001"
    # number_series | analogy | syllogism | figural_matrix | data_table | situational_judgement | statute
    family: str
    # code in the competency tree, e.g. "potensi.intelektual.numerik", "manajerial.integritas",
    # "pengetahuan.sistem_merit"
    competency: str
    indicator: str  # Indonesian, one line
    level: int  # 1..5, competency level / demand
    model: str  # "3PL" (keyed items) or "GPCM" (situational judgement)
    a: float  # slope, D = 1 logistic metric
    # difficulty (1 value) or GPCM step difficulties (m-1 values, increasing not required)
    b: tuple[float, ...]
    c: float = 0.0
    provenance: str = "rancangan"  # parameters by design, not calibrated
    bodies: dict[str, ItemBody]  # "id" always, "en" for at least a third of items
    # per option, canonical order: 0/1 for keyed, 1..5 for situational judgement
    option_points: tuple[int, ...]
    # per option: "" for the key, else the named error that leads there (Indonesian); for SJT why the score
    option_notes: tuple[str, ...]
    enemies: tuple[str, ...] = ()  # codes
    citation: str = ""  # article for statute items: "UU 27/2022 Pasal 10 ayat (1)"
    features: dict[str, float] = {}  # rule features that made the difficulty
    expected_time_s: int = 60
