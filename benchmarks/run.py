"""Time whole fits of sparsemixed and of every other program that has the model, one after the other on this machine.

    python benchmarks/run.py [--case NAME ...] [--only PROGRAM ...] [--repeat 3] [--timeout 900] [--peers-timeout 300]

A fit goes from a data frame in memory to an estimate with standard errors. Every program runs in a fresh process of its own,
so that its peak memory is its own. Prints two Markdown tables, one with all that was measured and one of the times alone, and
writes build/bench.json.
"""

# This process imports nothing but the standard library: on Linux a child's peak memory counts the parent's at its start.
from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cases import CASES
from measuring import BUILD, describe_machine, prepare, report_of
from programs import PROGRAMS, Asked, command_of
from tables import overview, seconds, table


def measure(program: str, name: str, options: argparse.Namespace) -> dict[str, Any]:
    """What one program reports on one case; `error` says in words why there is nothing."""
    case, ours = CASES[name], program == "sparsemixed"
    repeat = case.times * (options.repeat if ours else options.repeat_others)
    asked = Asked(case, BUILD / "bench" / case.data, repeat, BUILD / "bench" / f"{name}.{program}.json")
    command = command_of(program, asked)
    if not isinstance(command, str):
        prepare(case.data)
    return report_of(command, asked.out, options.timeout if ours else options.peers_timeout)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = [name for name, case in CASES.items() if not case.by_name]
    parser.add_argument("--case", nargs="+", choices=CASES, default=default, help="default: all but those of 25,000,000 rows")
    parser.add_argument("--only", nargs="+", choices=PROGRAMS, default=list(PROGRAMS), help="default: all")
    parser.add_argument("--repeat", type=int, default=3, help="timed fits of sparsemixed per case (default: 3)")
    parser.add_argument("--repeat-others", type=int, default=1, help="timed fits of the other programs (default: 1)")
    parser.add_argument("--timeout", type=float, default=900.0, help="seconds for sparsemixed per case (default: 900)")
    parser.add_argument("--peers-timeout", type=float, default=300.0, help="seconds for each other program (default: 300)")
    options = parser.parse_args()

    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    results: dict[str, dict[str, dict[str, Any]]] = {}
    for name in options.case:
        for program in options.only:
            print(f"{name}: {program} ...", file=sys.stderr, flush=True)
            report = measure(program, name, options)
            results.setdefault(name, {})[program] = report
            outcome = f"{seconds(report['best'])} s" if "best" in report else report.get("error", "")
            print(f"    {outcome}", file=sys.stderr, flush=True)
            if "printed" in report:
                print(report["printed"], file=sys.stderr)
            # Written after every fit: an hour of measuring survives an interruption.
            (BUILD / "bench.json").write_text(json.dumps({"machine": describe_machine(), "results": results}, indent=2) + "\n")
    print(table(results))
    print()
    print(overview(results))
    return int(any("best" not in programs.get("sparsemixed", {"best": 0}) for programs in results.values()))


if __name__ == "__main__":
    sys.exit(main())
