"""Settings for the rules that cannot do without; a rule with defaults needs no line."""

from __future__ import annotations

from typing import Any

NEEDED: dict[str, dict[str, Any]] = {
    "fixed_length": {"items": 3},
    "shadow_test": {"items": 8},
    "maximum_information_at_cut": {"cuts_millionths": [-500_000, 800_000]},
    "progressive": {"items": 10},
    "proportional": {"items": 10},
    "stratified": {"items": 10},
    "standard_error": {"target_millionths": 300_000},
    "minimum_information": {"target_millionths": 150_000},
    "test_information": {"target_millionths": 2_000_000},
    "theta_change": {"change_millionths": 120_000},
    "time_used": {"limit_s": 200},
    "classification_sprt": {"cuts_millionths": [-500_000, 800_000]},
    "classification_glr": {"cuts_millionths": [0]},
    "classification_interval": {"cuts_millionths": [-500_000, 800_000]},
    "combination": {
        "any_of": [{"rule": "classification_glr", "settings": {"cuts_millionths": [0]}}],
        "minimum_items": 2,
        "maximum_items": 11,
    },
    "routing_set": {"items": ["R0003", "J0001"]},
}
