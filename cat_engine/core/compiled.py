"""A test package made ready to run: columns laid out, rules bound. Built once, shared by all its sittings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from cat_engine.core import families
from cat_engine.core.content_amounts import missed_shares
from cat_engine.core.pool import Pool, pools
from cat_engine.core.space import spatial_pool
from cat_engine.core.test_package import PackageFile, PoolItem, Section, TestPackage
from cat_engine.core.views import SectionView

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
        return families.length_of(self.section)

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

    def missed_shares(self, shown: Sequence[int]) -> tuple[str, ...]:
        """The areas that these columns leave short of their share, where shares decide what is asked."""
        if not self.section.blueprint or not families.reads_shares(self.section):
            return ()
        return missed_shares(self.section.blueprint, [self.pool.line_of[column] for column in shown])


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
    if section.dimensions:
        pool = spatial_pool(pool)
    bind = partial(families.bind, abilities=families.abilities_of(section))
    return CompiledSection(
        section=section,
        pool=pool,
        start=bind("cat_engine.core.start", section.start),
        select=bind("cat_engine.core.selection", section.selection),
        content=bind("cat_engine.core.content", section.content),
        content_keeps_sets=families.members("cat_engine.core.content")[section.content.rule].keeps_sets,
        eligibility=bind("cat_engine.core.eligibility", section.eligibility),
        expose=bind("cat_engine.core.exposure", section.exposure),
        stop=tuple(_as_scored(bind(STOPPING, choice)) for choice in section.stopping),
        interim=bind("cat_engine.core.estimation", section.interim_estimator),
        final=bind("cat_engine.core.estimation", section.final_estimator),
    )


def _as_scored(stop: Callable[[SectionView], str | None]) -> Callable[[SectionView], str | None]:
    """The stopping rule, looking at what the score will look at: a start that knows more than the final score
    may count would end a sitting before that score is as precise as was asked for.
    """
    return lambda view: stop(view.as_scored)
