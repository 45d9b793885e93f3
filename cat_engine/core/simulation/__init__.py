"""The engine on simulated candidates.

truth      what is true of the items while a test is simulated
people     who answers, and how long it takes
sittings   whole sittings, through the engine's verbs
"""

from cat_engine.core.simulation.sittings import simulate_sitting
from cat_engine.core.simulation.truth import Ability

__all__ = ["Ability", "simulate_sitting"]
