"""A package that could not be run is refused when it is frozen; one that was edited afterwards is caught."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core.compiled import compile_package
from cat_engine.core.tables import GRID_MILLIONTHS, NODES_MILLIONTHS, freeze, verify
from cat_engine.core.test_package import (
    PackageFile,
    PoolItem,
    RuleChoice,
    TestPackage,
    content_hash,
    decode_file,
    encode_file,
)
from cat_engine.foundation.refusals import Refusal, Refused
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemParameters, category_log_probabilities, item_columns
from tests.cat_engine import small_packages as small

NAN, INF = float("nan"), float("inf")


def plain_package() -> TestPackage:
    rng = random.Random(1)
    items = [small.choice_item(number, rng, area="a") for number in range(6)]
    items.append(small.graded_item(6, rng, model="GPCM", area="a"))
    items.append(small.graded_item(7, rng, model="GRM", area="a"))
    return small.package_of(items, [small.adaptive_section("s", items)])


def with_item(package: TestPackage, index: int, **changes: object) -> TestPackage:
    items = list(package.items)
    items[index] = replace(items[index], **changes)
    return replace(package, items=tuple(items))


BAD_PARAMETERS: dict[str, tuple[int, dict[str, object]]] = {
    "a is no number": (0, {"a": NAN}),
    "a is infinite": (0, {"a": INF}),
    "a is negative": (0, {"a": -0.5}),
    "b is no number": (0, {"b": (NAN,)}),
    "b is infinite": (0, {"b": (INF,)}),
    "c is no number": (0, {"c": NAN}),
    "c is one": (0, {"c": 1.0}),
    "c is negative": (0, {"c": -0.1}),
    "d is not above c": (0, {"model": "4PL", "d": 0.1}),
    "d is above one": (0, {"model": "4PL", "d": 1.01}),
    "a 3PL item with an upper asymptote": (0, {"d": 0.98}),
    "a 2PL item with a guessing parameter": (0, {"model": "2PL"}),
    "two difficulties in a 3PL item": (0, {"b": (0.1, 0.2), "option_points": (0, 1, 2)}),
    "no difficulty at all": (0, {"b": (), "option_points": (0,)}),
    "an unknown model": (0, {"model": "5PL"}),
    "a partial credit model with a slope": (6, {"model": "PCM", "a": 1.3}),
    "a step that is no number": (6, {"b": (0.0, NAN, 0.3, 0.4)}),
    "graded thresholds that fall": (7, {"b": (0.4, 0.3, 0.5, 0.6)}),
    "graded thresholds that meet": (7, {"b": (0.3, 0.3, 0.5, 0.6)}),
    "a graded item without slope": (7, {"a": 0.0}),
    "fewer points than categories": (6, {"option_points": (1, 2, 3, 4)}),
    "more points than categories": (0, {"option_points": (0, 0, 2)}),
    "no options": (0, {"option_points": ()}),
}


@pytest.mark.parametrize("case", BAD_PARAMETERS)
def test_bad_parameters_are_refused_and_the_item_is_named(case: str) -> None:
    index, changes = BAD_PARAMETERS[case]
    package = plain_package()
    with pytest.raises(Refused) as refused:
        freeze(with_item(package, index, **changes))
    assert refused.value.code is Refusal.PACKAGE_PARAMETERS
    assert refused.value.details["item"] == package.items[index].code
    assert refused.value.details["reason"]


def _section(package: TestPackage, **changes: object) -> TestPackage:
    return replace(package, sections=(replace(package.sections[0], **changes), *package.sections[1:]))


BAD_PACKAGES: dict[str, tuple[Callable[[TestPackage], TestPackage], Refusal]] = {
    "one-sided enmity": (lambda p: with_item(p, 0, enemies=(p.items[1].item_id,)), Refusal.PACKAGE_INVALID),
    "empty pool": (lambda p: _section(p, item_ids=()), Refusal.PACKAGE_EMPTY_POOL),
    "unknown item": (lambda p: _section(p, item_ids=("nobody",)), Refusal.PACKAGE_INVALID),
    "item listed twice": (lambda p: _section(p, item_ids=("item-R-0000",) * 2), Refusal.PACKAGE_INVALID),
    "item defined twice": (lambda p: replace(p, items=(*p.items, p.items[0])), Refusal.PACKAGE_INVALID),
    "section twice": (lambda p: replace(p, sections=p.sections * 2), Refusal.PACKAGE_INVALID),
    "no section": (lambda p: replace(p, sections=()), Refusal.PACKAGE_INVALID),
    "unknown mode": (lambda p: _section(p, mode="adaptve"), Refusal.PACKAGE_INVALID),
    "prior without spread": (lambda p: _section(p, prior_deviation=0.0), Refusal.PACKAGE_INVALID),
    "prior that is no number": (lambda p: _section(p, prior_mean=NAN), Refusal.PACKAGE_INVALID),
    "no time": (lambda p: replace(p, time_allowed_s=0), Refusal.PACKAGE_INVALID),
    "no language": (lambda p: replace(p, languages=()), Refusal.PACKAGE_INVALID),
    "metric that is no number": (lambda p: replace(p, metric_d=NAN), Refusal.PACKAGE_PARAMETERS),
}


@pytest.mark.parametrize("case", BAD_PACKAGES)
def test_a_package_that_could_not_be_run_is_refused(case: str) -> None:
    change, code = BAD_PACKAGES[case]
    with pytest.raises(Refused) as refused:
        freeze(change(plain_package()))
    assert refused.value.code is code


@pytest.mark.parametrize(
    "place", ["selection", "exposure", "stopping", "interim_estimator", "final_estimator"]
)
def test_an_unknown_rule_is_refused_before_the_day(place: str) -> None:
    unknown = RuleChoice("no_such_rule")
    changes = {place: (unknown,) if place == "stopping" else unknown}
    package = _section(plain_package(), **changes)
    edited = replace(freeze(plain_package()), package=package)  # a file that nobody froze
    for attempt in (lambda: freeze(package), lambda: compile_package(edited)):
        with pytest.raises(Refused) as refused:
            attempt()
        assert refused.value.code is Refusal.PACKAGE_RULE_UNKNOWN
        assert refused.value.details["rule"] == "no_such_rule"


def test_enmity_with_an_item_outside_the_package_is_no_obstacle() -> None:
    package = with_item(plain_package(), 0, enemies=("item-of-another-package",))
    assert verify(freeze(package)) is None


def test_the_tables_are_those_of_the_response_models() -> None:
    package_file = freeze(plain_package())
    parameters = [ItemParameters(i.model, i.a, i.b, i.c, i.d) for i in package_file.package.items]
    columns = item_columns(parameters, D=1.7)
    tables, n = package_file.tables, len(parameters)
    stored = np.frombuffer(tables.log_probability, dtype="<i8").reshape(n, 5, tables.node_count) / 1e9
    expected = category_log_probabilities(columns, NODES_MILLIONTHS / 1e6).transpose(1, 2, 0)
    present = np.isfinite(expected)
    assert np.abs(stored[present] - np.maximum(expected[present], -700.0)).max() < 1e-9
    assert (stored[~present] == 0).all()
    information = np.frombuffer(tables.information, dtype="<i8").reshape(n, tables.grid_count) / 1e9
    assert np.abs(information - fisher_information(columns, GRID_MILLIONTHS / 1e6).T).max() < 2e-9


def test_a_package_file_survives_writing_and_reading() -> None:
    package_file = freeze(plain_package())
    again = decode_file(encode_file(package_file))
    assert again == package_file
    assert verify(again) is None
    assert encode_file(freeze(plain_package())) == encode_file(package_file)


# ------------------------------------------------------------------------------------ edited afterwards


def resealed(package_file: PackageFile) -> PackageFile:
    """By somebody who knows how the hash is made."""
    return replace(package_file, content_hash=content_hash(package_file.package, package_file.tables))


EDITS: dict[str, tuple[int, dict[str, object]]] = {
    "a": (2, {"a": 1.2345}),
    "b": (2, {"b": (0.123456,)}),
    "c": (2, {"c": 0.1234}),
    "a step of the partial credit item": (6, {"b": (-1.0, -0.5, 0.1, 0.9)}),
    "the last digit of b": (2, {"b": (plain_package().items[2].b[0] + 1e-6,)}),
}


@pytest.mark.parametrize("case", EDITS)
@pytest.mark.parametrize("seal", [False, True], ids=["hash kept", "hash made again"])
def test_an_edited_parameter_is_named_even_when_the_hash_was_made_again(case: str, seal: bool) -> None:
    index, changes = EDITS[case]
    package_file = freeze(plain_package())
    edited = replace(package_file, package=with_item(package_file.package, index, **changes))
    problem = verify(resealed(edited) if seal else edited)
    assert problem is not None
    assert package_file.package.items[index].code in problem


def _altered(item: PoolItem) -> dict[str, object]:
    return {"option_points": tuple(reversed(item.option_points)), "area": "z", "provenance": "z"}


@pytest.mark.parametrize("name", ["option_points", "area", "provenance"])
def test_what_the_tables_do_not_show_is_held_by_the_hash(name: str) -> None:
    package_file = freeze(plain_package())
    item = package_file.package.items[1]
    edited = replace(package_file, package=with_item(package_file.package, 1, **{name: _altered(item)[name]}))
    assert verify(edited) == "content does not match the package's hash"


@pytest.mark.parametrize("table", ["log_probability", "information"])
def test_an_edited_number_of_a_table_is_found(table: str) -> None:
    package_file = freeze(plain_package())
    numbers = np.frombuffer(getattr(package_file.tables, table), dtype="<i8").copy()
    numbers[numbers.size // 2] += 2
    edited = replace(package_file, tables=replace(package_file.tables, **{table: numbers.tobytes()}))
    assert "does not follow from its parameters" in (verify(resealed(edited)) or "")
    shorter = replace(package_file, tables=replace(package_file.tables, **{table: numbers.tobytes()[:-3]}))
    assert verify(shorter) is not None


def test_a_last_bit_of_another_processor_is_tolerated_in_the_tables_but_not_by_the_hash() -> None:
    package_file = freeze(plain_package())
    numbers = np.frombuffer(package_file.tables.information, dtype="<i8").copy()
    numbers[7] += 1
    edited = replace(package_file, tables=replace(package_file.tables, information=numbers.tobytes()))
    assert verify(resealed(edited)) is None
    assert verify(edited) == "content does not match the package's hash"


def test_an_impossible_parameter_in_a_stored_file_is_named_not_raised() -> None:
    package_file = freeze(plain_package())
    edited = replace(package_file, package=with_item(package_file.package, 3, c=1.5))
    assert package_file.package.items[3].code in (verify(edited) or "")
