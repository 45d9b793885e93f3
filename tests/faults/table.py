"""The table of a run, for people and as one line of JSON."""

from __future__ import annotations

import json
from statistics import median

from tests.faults.harness import Report


def figures(report: Report) -> dict[str, object]:
    """Everything that is published of a run."""
    plan, audit = report.plan, report.audit
    recoveries = [outage.recovery_s for outage in report.outages]
    by_target = {
        target: sum(outage.target == target for outage in report.outages)
        for target in dict.fromkeys(outage.target for outage in report.outages)
    }
    return {
        "database": plan.database,
        "test": plan.test,
        "candidates": plan.candidates,
        "web_processes": plan.workers,
        "seed": plan.seed,
        "seconds": round(report.seconds),
        "kills": len(report.outages),
        **{f"kills_{target}": count for target, count in sorted(by_target.items())},
        "sittings": audit.sittings,
        "finished": audit.finished,
        "acknowledged": audit.acknowledged,
        "lost": audit.lost,
        "doubled": audit.doubled,
        "stored_acknowledgement_cut_off": audit.cut_off,
        "stored_never_acknowledged": audit.unacknowledged,
        "other_findings": len(audit.findings),
        "replayed": audit.replayed,
        "recovery_p50_s": round(median(recoveries), 2) if recoveries else 0.0,
        "recovery_slowest_s": round(max(recoveries, default=0.0), 2),
        "programs_per_processor": round(max((o.crowding for o in report.outages), default=1.0), 1),
        "time_lost_per_outage_at_most_s": round(audit.worst_lost_time_ms / 1000, 2),
    }


def table(report: Report) -> str:
    """Name and value, a line each; findings below; the JSON line last."""
    values = figures(report)
    recoveries: dict[str, list[float]] = {}
    for outage in report.outages:
        recoveries.setdefault(outage.target, []).append(outage.recovery_s)
    lines = [f"  {name.replace('_', ' '):<34} {value}" for name, value in values.items()]
    for target, seconds in sorted(recoveries.items()):
        name = f"recovery after {target}, p50 / slowest"
        lines.append(f"  {name:<34} {median(seconds):.2f} / {max(seconds):.2f} s")
    lines += [f"  ! {finding}" for finding in report.audit.findings[:20]]
    return "\n".join([*lines, json.dumps(values)])
