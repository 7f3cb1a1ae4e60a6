# SPDX-License-Identifier: GPL-2.0-or-later
"""A figure of the benchmarks of daemons, as a line or as JSON; and the load they share."""
import json, sys
from lab import BUILD

AS_JSON = "--json" in sys.argv
QUICK = "--quick" in sys.argv


def figure(what, value, unit):
    if AS_JSON:
        print(json.dumps({"case": what, "tier": "interpreter", "hook": "xdp", "flows": 0, "ns": 0, "ratio": 0, "value": round(value, 3),
                          "unit": unit}))
    else:
        print(f"{what:40} {value:14.1f} {unit}")
    sys.stdout.flush()


def median(values):
    return sorted(values)[len(values) // 2]


def fill_a_million(lab, host):
    """Frames of a million sources until the one table of the switch has as many flows; how many it has."""
    for _ in range(20):    # The veth's ring drops what comes too fast.
        host.run(f"{BUILD}/tests/bench/mealy-bench", "--fill", "eth0")
        flows = lab.json("table", "list", "--switch", "s1")[0]["flows"]
        if flows >= 1000000:
            break
    return flows
