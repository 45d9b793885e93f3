"""The engine's criteria in the states and sittings that catR and mirtCAT recorded (tests/oracles/cat).

Their integrals run over 33 nodes on [-4, 4], the engine's over 121 on [-6, 6]: values differ by up to 1.5 %
where a posterior lies near 4, and less than a thousandth elsewhere, below every gap between best and second.
The discrimination index over the likelihood (GDI) is no integral there: each node counts as one point, the
two ends too. In one state that changes the best item, for items that are 2 % apart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from cat_engine.core import families
from cat_engine.core.exact import Integers
from cat_engine.core.test_package import RuleChoice
from tests.cat_engine import oracle_pools

AHEAD = {"weights": "at_estimate", "updated": "mode"}
RULES: dict[str, tuple[str, dict[str, Any]]] = {
    "MFI": ("maximum_information", {}),
    "MLWI": ("likelihood_weighted_information", {}),
    "MPWI": ("posterior_weighted_information", {}),
    "KL": ("kullback_leibler", {}),
    "KLP": ("posterior_kullback_leibler", {}),
    "GDI": ("global_discrimination", {"weights": "likelihood"}),
    "GDIP": ("global_discrimination", {}),
    "MEI_Fisher": ("expected_information", AHEAD),
    "MEI_observed": ("expected_information", {**AHEAD, "information": "observed"}),
    "MEPV": ("expected_posterior_variance", {"weights": "at_estimate"}),
    "bOpt": ("closest_difficulty", {}),
    "thOpt": ("closest_maximum", {}),
}
ESTIMATORS = {"BM": "posterior_mode", "WL": "warm", "EAP": "eap", "EAP_dense": "eap"}
OTHERWISE = {("3PL300/n10_th+1.5", "GDI")}
"""Where the other definition takes another item."""


def _best(utility: Integers, given: list[int]) -> int:
    free = np.ones(utility.size, dtype=np.bool_)
    free[given] = False
    return int(np.where(free, utility, utility.min() - 1).argmax())


@pytest.mark.parametrize("name", RULES)
def test_the_best_item_of_every_recorded_state(name: str) -> None:
    select = families.bind("cat_engine.core.selection", RuleChoice(*RULES[name]))
    checked = 0
    for state in oracle_pools.oracle()["next_item"]:
        if name not in state or (state["id"], name) in OTHERWISE:
            continue
        given = state["administered"]
        pool = oracle_pools.pool_of(state["bank"])
        view = oracle_pools.view(pool, given, state["responses"], state["theta"])
        utility = select(view)
        assert _best(utility, given) == state[name]["best"], state["id"]
        if name not in ("GDI", "thOpt", "bOpt"):
            values = np.abs(np.array(state[name]["values"]))
            ours = np.abs(utility[state[name]["top5"]])
            np.testing.assert_allclose(ours / ours[0], values / values[0], rtol=0.015)
        checked += 1
    assert checked >= 15


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_every_recorded_sitting_item_by_item(estimate: str) -> None:
    """From the answers to the whole bank; the first item is the most informative at 0."""
    oracle = oracle_pools.oracle()
    answers = {(full["bank"], full["true_theta"]): full["responses"] for full in oracle["full_responses"]}
    estimator = families.bind("cat_engine.core.estimation", RuleChoice(ESTIMATORS[estimate]))
    checked = 0
    for trace in oracle["traces"]:
        if trace["estimate"] != estimate:
            continue
        select = families.bind("cat_engine.core.selection", RuleChoice(*RULES[trace["select"]]))
        pool = oracle_pools.pool_of(trace["bank"], float(trace["D"]))
        of_bank = answers[trace["bank"], trace["true_theta"]]
        items: list[int] = []
        thetas: list[float] = []
        utility = pool.information_at(0)
        for _ in range(trace["length"]):
            items.append(_best(utility, items))
            categories = [of_bank[item] for item in items]
            found = estimator(oracle_pools.evidence(pool, items, categories))
            thetas.append(found.theta_millionths / 1e6)
            utility = select(oracle_pools.view(pool, items, categories, found))
        label = str((trace["bank"], trace["true_theta"], trace["select"]))
        assert items == trace["items"], label
        if estimate != "EAP":  # whose 33 nodes are not converged
            # a single graded item of slope 3.45, steeper than the nodes are made for, costs Warm's rule 4e-5
            tolerance = 5e-5 if estimate == "WL" else 1e-5
            np.testing.assert_allclose(thetas, trace["theta"], atol=tolerance, rtol=0, err_msg=label)
        checked += 1
    assert checked >= 7


def test_every_criterion_and_estimator_recorded_is_run() -> None:
    oracle = oracle_pools.oracle()
    states = oracle["next_item"]
    assert {key for state in states for key, value in state.items() if isinstance(value, dict)} == set(RULES)
    assert {trace["estimate"] for trace in oracle["traces"]} == set(ESTIMATORS)
    assert {trace["select"] for trace in oracle["traces"]} <= set(RULES)


def test_strata_recorded() -> None:
    known = oracle_pools.oracle()["a_stratified"]
    pool = oracle_pools.pool_of(known["bank"])
    select = families.bind(
        "cat_engine.core.selection",
        RuleChoice("stratified", {"items": known["K"], "strata": known["K"], "blocked": False}),
    )
    stratum = np.array([int(name.removeprefix("Group")) - 1 for name in known["strata"]])
    for position in range(known["K"]):
        given = list(range(position))
        utility = select(oracle_pools.view(pool, given, [0] * position, 0.1))
        first = np.argsort(-utility)[: (stratum == position).sum()]
        assert sorted(first) == np.flatnonzero(stratum == position).tolist()
