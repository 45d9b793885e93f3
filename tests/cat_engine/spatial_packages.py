"""Items and sections of several correlated abilities."""

from __future__ import annotations

import random

from msgspec.structs import replace

from cat_engine.core.test_package import Dimension, PoolItem, RuleChoice, Section
from tests.cat_engine import small_packages as small

NAMES = ("verbal", "numeric", "figural")
CORRELATIONS = {2: (0.6,), 3: (0.6, 0.4, 0.5)}


def spatial_item(number: int, rng: random.Random, dimensions: int) -> PoolItem:
    """One of M2PL, M3PL, MGRM and MGPCM in turn; every third item loads on one ability only."""
    model = ("M3PL", "MGRM", "M2PL", "MGPCM")[number % 4]
    slopes = [round(rng.uniform(0.4, 1.3), 3) for _ in range(dimensions)]
    if number % 3 == 0:
        kept = number % dimensions
        slopes = [slope if k == kept else 0.0 for k, slope in enumerate(slopes)]
    many = model in {"MGRM", "MGPCM"}
    intercepts = sorted((round(rng.gauss(0.0, 1.0), 3) for _ in range(3 if many else 1)), reverse=True)
    spread = tuple(value - 0.05 * place for place, value in enumerate(intercepts))
    base = small.graded_item(number, rng, model="GPCM", area="a")
    points = tuple(range(len(spread) + 1))
    c = 0.2 if model == "M3PL" else 0.0
    return replace(base, model=model, a=1.0, b=spread, c=c, slopes=tuple(slopes), option_points=points)


def section_of(items: list[PoolItem], dimensions: int, selection: str) -> Section:
    base = small.adaptive_section("s", items)
    shares = (500, 500) if dimensions == 2 else (400, 300, 300)
    return replace(
        base,
        dimensions=tuple(
            Dimension(name=NAMES[k], mean=0.2 * k, deviation=1.0 + 0.1 * k, per_mille=shares[k])
            for k in range(dimensions)
        ),
        correlations=CORRELATIONS[dimensions],
        selection=RuleChoice(selection),
        interim_estimator=RuleChoice("several_eap"),
        final_estimator=RuleChoice("several_eap"),
    )
