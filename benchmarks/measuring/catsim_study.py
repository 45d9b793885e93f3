"""catsim on the same pool and people; run by the interpreter of its own environment, with one argument.

The argument is a JSON file: `items` as catsim takes them (a, b, c, d; its metric has D = 1), `thetas`,
`length`, `repeats`. Prints one JSON line: the shortest CPU and wall time of the repeats, in seconds.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from catsim.estimation import NumericalSearchEstimator  # type: ignore[import-not-found]  # in its own environment
from catsim.initialization import FixedPointInitializer  # type: ignore[import-not-found]  # as above
from catsim.selection import MaxInfoSelector  # type: ignore[import-not-found]  # as above
from catsim.simulation import Simulator  # type: ignore[import-not-found]  # as above
from catsim.stopping import TestLengthStopper  # type: ignore[import-not-found]  # as above


def main() -> None:
    """Simulate, and print how long it took."""
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    cpu_s: list[float] = []
    wall_s: list[float] = []
    rmse = 0.0
    for repeat in range(task["repeats"]):
        simulator = Simulator(
            np.array(task["items"]),
            np.array(task["thetas"]),
            FixedPointInitializer(0.0),
            MaxInfoSelector(),
            NumericalSearchEstimator(),
            TestLengthStopper(max_items=task["length"]),
            seed=repeat,
        )
        cpu, wall = time.process_time(), time.perf_counter()
        simulator.simulate()
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
        rmse = float(simulator.rmse)
        assert all(len(given) == task["length"] for given in simulator.administered_items)
    print(json.dumps({"cpu_s": min(cpu_s), "wall_s": min(wall_s), "rmse": rmse}))


if __name__ == "__main__":
    main()
