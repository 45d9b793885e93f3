"""A test package made ready to run: columns laid out, rules bound. Built once, shared by all its sittings."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cat_engine.core import families
from cat_engine.core.pool import Pool, pools
from cat_engine.core.space import spatial_pool
from cat_engine.core.test_package import PackageFile, PoolItem, Section, TestPackage

ADAPTIVE = "adaptive"
LINEAR = "linear"
MULTISTAGE = "multistage"
STOPPING = "cat_engine.core.stopping"


@dataclass(frozen=True)
class CompiledSection:
    """A section with its pool and its rules."""

    section: Section
    pool: Pool
    start: Callable[..., Any]
    select: Callable[..., Any]
    content: Callable[..., Any]
    content_keeps_sets: bool
    eligibility: Callable[..., Any]
    expose: Callable[..., Any]
    stop: tuple[Callable[..., str | None], ...]
    interim: Callable[..., Any]
    final: Callable[..., Any]

    @property
    def is_linear(self) -> bool:
        """A fixed form: all items shown, revisited at will, scored by summed points."""
        return self.section.mode == LINEAR

    @property
    def is_multistage(self) -> bool:
        """Modules of a panel, stage by stage; within a module as in an adaptive section, one by one."""
        return self.section.mode == MULTISTAGE

    @cached_property
    def length(self) -> int | None:
        """The number of items at which the stopping rules end the section in any case."""
        lengths = (families.most_items(STOPPING, choice) for choice in self.section.stopping)
        return min((length for length in lengths if length is not None), default=None)

    @cached_property
    def most_items(self) -> int:
        """An upper bound of the items of this section, for "item 12, at most 40"."""
        if self.is_multistage:
            return max(
                sum(max(len(module.item_ids) for module in stage.modules) for stage in panel.stages)
                for panel in self.section.panels
            )
        size = len(self.section.item_ids)
        return size if self.length is None or self.is_linear else min(size, self.length)


@dataclass(frozen=True)
class CompiledPackage:
    """What the engine runs."""

    package: TestPackage
    content_hash: str
    sections: tuple[CompiledSection, ...]
    items: dict[str, PoolItem]

    @cached_property
    def takes_long(self) -> bool:
        """Whether a decision may cost tens of milliseconds."""
        rules = families.members("cat_engine.core.content")
        return any(rules[part.section.content.rule].takes_long for part in self.sections)


def compile_package(package_file: PackageFile) -> CompiledPackage:
    """Lay out the columns and bind every rule; an unknown rule or setting is refused here, not mid-test."""
    package = package_file.package
    return CompiledPackage(
        package=package,
        content_hash=package_file.content_hash,
        sections=tuple(_compile_section(pool) for pool in pools(package_file)),
        items={item.item_id: item for item in package.items},
    )


def _compile_section(pool: Pool) -> CompiledSection:
    section = pool.section
    abilities = families.SEVERAL if section.dimensions else families.ONE
    if section.dimensions:
        pool = spatial_pool(pool)
    return CompiledSection(
        section=section,
        pool=pool,
        start=families.bind("cat_engine.core.start", section.start),
        select=families.bind("cat_engine.core.selection", section.selection, abilities),
        content=families.bind("cat_engine.core.content", section.content),
        content_keeps_sets=families.members("cat_engine.core.content")[section.content.rule].keeps_sets,
        eligibility=families.bind("cat_engine.core.eligibility", section.eligibility),
        expose=families.bind("cat_engine.core.exposure", section.exposure),
        stop=tuple(families.bind(STOPPING, choice, abilities) for choice in section.stopping),
        interim=families.bind("cat_engine.core.estimation", section.interim_estimator, abilities),
        final=families.bind("cat_engine.core.estimation", section.final_estimator, abilities),
    )
