"""The one compiled loop of independent groups: it carries out programs (`solver.groups.programs`), for many groups at a time.

A loop written for one purpose takes seconds to be compiled, and there are several purposes; this one takes a second for all.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_sums

SET, ADD_SCALED, ADD_PRODUCT, SUBTRACT_PRODUCT, MULTIPLY, INVERSE_ROOT, LOAD, STORE, ADD_GRAM = range(9)
"""Instructions; what each does stands beside it below."""
ROUNDING = 8.0 * 2.220446049250313e-16
"""Share of a positive number up to which what is left of it is rounding."""


@compiled_sums
def run_program(code, constants, data, width, lanes, begin, end, registers, out_sums, out_rows, n_out):
    """Carry out a program on blocks `begin` to `end` of groups.

    Everything is flat. code: instructions of four integers, what to do, and o, a, b; data: for every block `width` rows of
    `lanes` numbers, one for each of its groups; registers: rows that the program works on; out_sums: sums over all groups;
    out_rows: `n_out` rows of results for every block, which may be those of the data.
    """
    # A signed place might be negative, and count from the end: loops over such places are not vectorized.
    lanes, in_rows, in_results = np.uint64(lanes), np.uint64(width * lanes), np.uint64(n_out * lanes)
    for block in range(np.uint64(begin), np.uint64(end)):
        for at in range(0, code.size, 4):
            what, a, b = code[at], code[at + 2], code[at + 3]
            o, x, y = code[at + 1] * lanes, a * lanes, b * lanes
            if what == ADD_PRODUCT:  # o += a b
                for i in range(lanes):
                    registers[o + i] += registers[x + i] * registers[y + i]
            elif what == SUBTRACT_PRODUCT:  # o -= a b
                for i in range(lanes):
                    registers[o + i] -= registers[x + i] * registers[y + i]
            elif what == ADD_SCALED:  # o += constant b times a
                scale = constants[b]
                if scale != 0.0:
                    for i in range(lanes):
                        registers[o + i] += scale * registers[x + i]
            elif what == MULTIPLY:  # o *= a
                for i in range(lanes):
                    registers[o + i] *= registers[x + i]
            elif what == SET:  # o = constant a
                scale = constants[a]
                for i in range(lanes):
                    registers[o + i] = scale
            elif what == INVERSE_ROOT:  # o = 1 / sqrt(a), or zero where a is rounding beside b; of a alone no number
                scale = np.nan if a == b else 0.0
                for i in range(lanes):
                    left = registers[x + i]
                    registers[o + i] = 1.0 / np.sqrt(left) if left > ROUNDING * registers[y + i] else scale
            elif what == LOAD:  # o = row a of the data
                x += block * in_rows
                for i in range(lanes):
                    registers[o + i] = data[x + i]
            elif what == STORE:  # row o of the results = a
                o += block * in_results
                for i in range(lanes):
                    out_rows[o + i] = registers[x + i]
            else:  # ADD_GRAM: the matrix of sums from place o on += inner products of the rows from a to b
                for r in range(b - a):
                    for s in range(b - a):
                        if s > r:
                            break
                        u, v, total = x + r * lanes, x + s * lanes, 0.0
                        for i in range(lanes):
                            total += registers[u + i] * registers[v + i]
                        own = code[at + 1] + r * (b - a) + s
                        out_sums[own] += total
                        out_sums[code[at + 1] + s * (b - a) + r] = out_sums[own]


@compiled_sums
def run_program_at_all(code, constants, data, width, lanes, blocks, n_groups, registers, weights, out_sums, out_rows, out_logs):
    """The program of deviances at many constants (S, c): sums (S, m), and sums over groups of weights times the logs of its one
    row of results."""
    for s in range(constants.shape[0]):
        run_program(code, constants[s], data, width, lanes, 0, blocks, registers, out_sums[s], out_rows, 1)
        total = 0.0
        for i in range(n_groups):
            total += weights[i] * np.log(out_rows[i])
        out_logs[s] = total
