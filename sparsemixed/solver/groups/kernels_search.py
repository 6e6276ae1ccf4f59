"""The whole search for the lowest deviance of one set of independent groups, compiled: for many searches on one design.

The steps, the faces of the parameter space and the rules of the end are those of `estimation.search`; here nothing is logged.
What this search cannot do is left to that one: it then has no end.

Conventions as in `solver.groups.kernels` and `solver.groups.kernels_newton`; n = n_theta, P = p + 1.
"""

from __future__ import annotations

import numpy as np

from sparsemixed.solver.compiled import compiled_part, compiled_within
from sparsemixed.solver.groups.kernels import run_program
from sparsemixed.solver.groups.kernels_newton import (
    CHANGES,
    LARGEST_RADIUS,
    NEAR,
    NR_TOLERANCE,
    PREDICTED_RISE,
    ROUNDING,
    curvature,
    newton_measures,
    profile,
    rise_on_face,
    scaled_model,
    step_within,
)

NO_END, NO_STEP = 0, 4
"""The search has no end here; no step changes the deviance beyond rounding, so that it has converged."""
START, STEP, FACE, HERE, DERIVE = range(5)
"""What a deviance is computed for: to choose a start, after a step, on a face, where the search stands; and what comes next."""
HIGHEST_RISE = 1e-7
"""Of the deviance, that still counts as none where a face is tried."""
SMALLEST_RADIUS = 1e-10


@compiled_part
def fill(out, value):
    """Every entry of a vector; slices take far longer to be compiled than a loop."""
    for i in range(out.size):
        out[i] = value


@compiled_part
def copy_to(out, values):
    """The entries of one vector to another."""
    for i in range(out.size):
        out[i] = values[i]


@compiled_part
def sums_by_pairs(sums, k, width, out_sums):
    """H, B, HH and HC by pairs a <= b, row after row, from the sums of `derivatives_program`, whose pairs go column by column."""
    H, B, HH, HC = out_sums
    pairs = k * (k + 1) // 2
    begin, side = (width * k) ** 2, 1 + 2 * pairs
    u = 0
    for a in range(k):
        for b in range(a, k):
            row = begin + (1 + b * (b + 1) // 2 + a) * side
            H[u] = sums[row]
            for x in range(width):
                for z in range(width):
                    B[u, x, z] = sums[(x * k + a) * width * k + z * k + b]
            v = 0
            for c in range(k):
                for d in range(c, k):
                    place = row + 1 + d * (d + 1) // 2 + c
                    HH[u, v] = sums[place]
                    HC[u, v] = sums[place + pairs]
                    v += 1
            u += 1


@compiled_within
def factor_at(theta, moves, constants):
    """lambda (k, k) at theta, into the constants of a program."""
    k = moves.shape[1]
    for a in range(k):
        for b in range(k):
            total = 0.0
            for j in range(theta.size):
                total += theta[j] * moves[j, a, b]
            constants[2 + a * k + b] = total


@compiled_within
def deviance_here(group, rest, df, reml, work, at):
    """Deviance and pwrss at the factor that is among the constants; `at` (w, beta, inverse, columns) is filled as by `profile`.

    group: (data, weights, rows of a block, lanes, blocks, code, code of derivatives); work: (constants, registers, sums, roots,
    sums of derivatives, gram).
    """
    data, weights, rows, lanes, n_blocks, code, _ = group
    constants, registers, sums, roots, _, gram = work
    w, beta, inverse, columns = at
    width = rest.shape[0]
    fill(sums, 0.0)
    # Literal numbers would be a type of their own, and have the program's loop compiled once more.
    run_program(code, constants, data, rows, lanes, np.int64(0), n_blocks, registers, sums, roots, np.int64(1))
    logdet = 0.0
    for g in range(weights.size):
        if weights[g] != 0.0:
            if not roots[g] > 0.0:
                return np.nan, np.nan
            logdet -= 2.0 * weights[g] * np.log(roots[g])
    for a in range(width):
        for b in range(width):
            gram[a, b] = sums[a * width + b]
    return profile(gram, rest, logdet, df, reml, w, beta, inverse, columns)


@compiled_within
def moments_here(columns, first, group, k, width, work, out_sums):
    """H, B, HH and HC by pairs at the factor that is among the constants, for those of the `columns` from `first` on."""
    data, _, rows, lanes, n_blocks, _, code = group
    constants, registers, roots, sums = work[0], work[1], work[3], work[4]
    begin, c = 2 + k * k, columns.shape[1] - first
    for x in range(width):
        for y in range(c):
            constants[begin + x * c + y] = columns[x, first + y]
    fill(sums, 0.0)
    run_program(code, constants, data, rows, lanes, np.int64(0), n_blocks, registers, sums, roots, np.int64(0))
    sums_by_pairs(sums, k, width, out_sums)


@compiled_within
def deviance_at(theta, moves, group, rest, df, reml, work, at):
    """`deviance_here` for the factor at theta."""
    factor_at(theta, moves, work[0])
    return deviance_here(group, rest, df, reml, work, at)


@compiled_within
def derivatives_at(theta, moves, group, rest, df, reml, work, at, pwrss, out_sums, out_gradient, out_hessian, out_slopes):
    """Gradient and Hessian, as of `curvature`, at the place of the last `deviance_at`."""
    constants = work[0]
    _, beta, inverse, columns = at
    k = moves.shape[1]
    moments_here(columns, 0, group, k, rest.shape[0], work, out_sums)
    lam = np.empty((k, k))
    for a in range(k):
        for b in range(k):
            lam[a, b] = constants[2 + a * k + b]
    curvature(out_sums, lam, moves, columns, beta, inverse, pwrss / df, df, reml, out_gradient, out_hessian, out_slopes)


@compiled_part
def step_of_trust(limit, values, vectors, rotated, scale, out_step):
    """As `step_within`, and in the hard case along the direction of negative curvature, out to the limit."""
    length, predicted = step_within(limit, values, vectors, rotated, scale, out_step)
    if length >= 0.0:
        return length, predicted
    n, least = values.size, 0
    for a in range(1, n):
        if values[a] < values[least]:
            least = a
    lowest = max(0.0, -values[least])
    shift = lowest + max(1e-12, 1e-15 * lowest)
    turned = np.empty(n)
    square, predicted = 0.0, 0.0
    for a in range(n):
        turned[a] = -rotated[a] / (values[a] + shift)
        square += turned[a] ** 2
    more = np.sqrt(max(limit**2 - square, 0.0))
    turned[least] += more if turned[least] >= 0.0 else -more
    for a in range(n):
        out_step[a] = 0.0
    for a in range(n):
        predicted -= rotated[a] * turned[a] + 0.5 * values[a] * turned[a] ** 2
        for b in range(n):
            out_step[b] += scale[b] * vectors[b, a] * turned[a]
    return limit, predicted


@compiled_part
def next_face(face, theta, gradient, profiled, faces, out_place, out_touched):
    """The first face from `face` on that the model would let theta be moved onto, its place in `out_place`; those that it is on
    already are marked."""
    while face < faces.shape[0]:
        move, rise = rise_on_face(faces, face, theta, gradient, profiled)
        if move == 0.0:
            out_touched[face] = True
        elif rise <= PREDICTED_RISE:
            for a in range(theta.size):
                out_place[a] = theta[a] - move * faces[face, a]
            return face
        face += 1
    return face


@compiled_within
def lowest(starts, moves, faces, group, rest, df, reml, bounds, most, work, at, out_theta, out_touched):
    """From the best of `starts` (s, n) to the lowest deviance: why it ends, the deviance, pwrss and the number of iterations.

    `at`, as of `deviance_at`, is that of the end; bounds: nrtolerance, negative for none, tolerance and ltolerance; out_touched
    (f,): faces that the end lies on, as `estimation.search.boundary` has them. The deviance is computed in one place of the loop
    alone: each would have to be compiled.
    """
    n, k, width, theta = moves.shape[0], moves.shape[1], rest.shape[0], out_theta
    pairs = k * (k + 1) // 2
    sums = (np.empty(pairs), np.empty((pairs, width, width)), np.empty((pairs, pairs)), np.empty((pairs, pairs)))
    gradient, hessian, slopes = np.empty(n), np.empty((n + 1, n + 1)), np.empty((n, width, width))
    profiled, vectors, place = np.empty((n, n)), np.empty((n, n)), np.empty(n)
    scale, values, rotated, step = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    radius, size, change, length, predicted = 1.0, np.inf, np.inf, 0.0, 0.0
    decrement, reference, convex, moved = 0.0, 1.0, False, False
    deviance, pwrss, why, i, tried, face, s, best = np.inf, np.nan, 0, 0, -1, 0, 0, -1
    what, then = START, DERIVE
    copy_to(place, starts[0])
    while True:
        found, square = deviance_at(place, moves, group, rest, df, reml, work, at)
        here = what != FACE  # whether `at` is that of theta
        if what == START:
            if found < deviance:
                deviance, pwrss, best = found, square, s
            s += 1
            if s < starts.shape[0]:
                copy_to(place, starts[s])
                continue
            if best < 0:
                return NO_END, np.nan, np.nan, i
            copy_to(theta, starts[best])
            then = DERIVE
            if best + 1 < s:
                copy_to(place, theta)
                what = HERE
                continue
        elif what == HERE:
            deviance, pwrss = found, square
            if why:
                return why, deviance, pwrss, i
        elif what == FACE:
            if found <= deviance + HIGHEST_RISE:
                deviance, moved = found, True
                copy_to(theta, place)
                out_touched[face] = True
            face, then = face + 1, FACE
        else:
            gain = deviance - found
            if gain >= 0.05 * predicted - ROUNDING * abs(deviance):
                if gain > 0.75 * predicted:
                    radius = min(2.0 * radius, LARGEST_RADIUS)
                size, change = length / reference, abs(gain) / (abs(deviance) + 1.0)
                deviance, pwrss, i, then = found, square, i + 1, DERIVE
                copy_to(theta, place)
            else:
                radius, then, here = 0.25 * min(radius, length / reference), STEP, False
                if (convex or decrement <= bounds[0]) and predicted < ROUNDING * (abs(deviance) + df):
                    why, face, moved, then = NO_STEP, 0, False, FACE
                    fill(out_touched, False)
                elif radius < SMALLEST_RADIUS:
                    return NO_END, np.nan, np.nan, i
        if then == DERIVE:
            derivatives_at(theta, moves, group, rest, df, reml, work, at, pwrss, sums, gradient, hessian, slopes)
            if not scaled_model(gradient, hessian, df, profiled, scale, values, vectors, rotated):
                return NO_END, np.nan, np.nan, i
            decrement, reference, convex = newton_measures(theta, scale, values, rotated)
            if convex and decrement <= bounds[0]:
                why = NR_TOLERANCE
            elif convex and size <= bounds[1] and change <= bounds[2] and (decrement <= NEAR or bounds[0] < 0.0):
                why = CHANGES
            elif i >= most:
                return NO_END, np.nan, np.nan, i
            then = STEP
            if why or (decrement <= NEAR and i > tried + 3):
                tried, face, moved, then = i, 0, False, FACE
                fill(out_touched, False)
        if then == FACE:
            face = next_face(face, theta, gradient, profiled, faces, place, out_touched)
            what = FACE
            if face < faces.shape[0]:
                continue
            then = STEP
            if moved:
                size, change, i, then = np.inf, np.inf, i + 1, DERIVE
            if not here:
                copy_to(place, theta)
                what = HERE
                continue
            if why:
                return why, deviance, pwrss, i
        length, predicted = step_of_trust(radius * reference, values, vectors, rotated, scale, step)
        for a in range(n):
            place[a] = theta[a] + step[a]
        what = STEP
