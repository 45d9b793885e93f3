"""Multistage sections: whole modules are chosen, stage by stage; their items are asked one by one.

A sitting gets one of the section's panels by lot. Before each stage the stopping rules are heard, then the
route says which module comes: by the interim estimate, by the points gathered in the section, or by those of
the module before (Luecht & Nungester, 1998; Yan, von Davier & Lewis, 2014).
"""

from collections.abc import Sequence

import numpy as np

from cat_engine.core.adaptive import Stop, digest, view_of
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import ItemPresented, ModuleRouted
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.test_package import Module, Panel, Stage
from cat_engine.core.views import SectionView

MULTISTAGE_COMPLETE = "multistage_complete"
THETA, POINTS, MODULE_POINTS = BY = ("theta", "points", "module_points")


def next_step(
    compiled: CompiledSection, state: SittingState, now_ms: int
) -> ModuleRouted | ItemPresented | Stop:
    """The next item of the module under way, or the module of the next stage, or the end.

    Items seen in an earlier section and their enemies are passed over: a module is shortened rather than an
    item asked twice.
    """
    view = view_of(compiled, state, now_ms)
    panel = panel_of(compiled, state.seed)
    if state.routed:
        module = _module(panel, state.routed[-1])
        rest = [
            column
            for column in (compiled.pool.index_of[item_id] for item_id in module.item_ids)
            if view.unseen[column]
        ]
        if rest:
            return _presented(compiled, view, rest)
    if len(state.routed) == len(panel.stages):
        return Stop(MULTISTAGE_COMPLETE)
    for stop in compiled.stop if state.routed else ():
        reason = stop(view)
        if reason is not None:
            return Stop(reason)
    return _routed(compiled, state, view, panel)


def panel_of(compiled: CompiledSection, seed: str) -> Panel:
    """The panel that a sitting with this seed gets; all are equally likely."""
    section = compiled.section
    drawn = Chance(seed, 0).below(f"panel|{section.section_id}", len(section.panels))
    return section.panels[drawn]


def _module(panel: Panel, routed: ModuleRouted) -> Module:
    stage = panel.stages[routed.stage - 1]
    return next(module for module in stage.modules if module.module_id == routed.module_id)


def _presented(compiled: CompiledSection, view: SectionView, rest: list[int]) -> ItemPresented:
    """The first of the module's items that are left."""
    return ItemPresented(
        position=view.chance.position,
        item_id=compiled.pool.items[rest[0]].item_id,
        theta_millionths=view.estimate.theta_millionths,
        standard_error_millionths=view.estimate.standard_error_millionths,
        eligible=len(rest),
        eligible_digest=digest(np.array(rest, dtype="<i4")),
        considered=1,
        drawn=0,
        thetas_millionths=view.estimate.thetas_millionths,
    )


def _routed(compiled: CompiledSection, state: SittingState, view: SectionView, panel: Panel) -> ModuleRouted:
    stage = panel.stages[len(state.routed)]
    before = state.routed[-1].module_id if state.routed else ""
    presentations = state.in_section(state.section_index)
    if stage.by == MODULE_POINTS and state.routed:
        own = set(_module(panel, state.routed[-1]).item_ids)
        presentations = tuple(p for p in presentations if p.item_id in own)
    points = _points(presentations)
    measured = view.estimate.theta_millionths if stage.by == THETA else points
    return ModuleRouted(
        section_id=compiled.section.section_id,
        panel_id=panel.panel_id,
        stage=len(state.routed) + 1,
        module_id=route(stage, before, measured).module_id,
        theta_millionths=view.estimate.theta_millionths,
        standard_error_millionths=view.estimate.standard_error_millionths,
        points=points,
    )


def _points(presentations: Sequence[Presentation]) -> int:
    return sum(p.points for p in presentations if p.response is not None)


def route(stage: Stage, before: str, measured: int) -> Module:
    """The module that a measure (theta in millionths, or points) leads to from the module before.

    Cuts belong to the module above them. Where that module may not follow the one before, the nearest that
    may; of two equally near the easier.
    """
    modules = stage.modules
    if len(modules) == 1:
        return modules[0]
    own = next((known for known in stage.routes if known.after == before), None)
    cuts = (own or next(known for known in stage.routes if not known.after)).cuts
    wanted = sum(measured >= cut for cut in cuts)
    may = [number for number, module in enumerate(modules) if not module.follows or before in module.follows]
    return modules[min(may, key=lambda number: (abs(number - wanted), number))]
