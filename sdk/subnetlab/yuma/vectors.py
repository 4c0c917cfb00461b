"""Vector and sparse-matrix steps of an epoch, over I32F32 bits.

A vector is a list with one number per uid. A matrix is a list of rows, one per uid, and a row lists
`(column uid, number)` of its present entries in ascending order: absence means zero, and a step that yields
nothing positive drops the entry, as the runtime's sparse path does.

Source: the reductions of `epoch/math.rs` of Subtensor at spec 425, written anew.
"""

from collections.abc import Callable, Iterable, Sequence

from subnetlab.units import U16_MAX
from subnetlab.yuma.fixed import I32F32, Format

Vector = list[int]
Row = list[tuple[int, int]]
Matrix = list[Row]


def normalized(vector: Sequence[int], kind: Format = I32F32) -> Vector:
    """Divide by the sum, so that the vector sums to 1 (less what truncation loses); unchanged at sum 0."""
    total = sum(vector)
    return [kind.div(value, total) for value in vector] if total else list(vector)


def divided(vector: Sequence[int], total: int) -> Vector:
    """Divide by a given total; unchanged where it is zero."""
    return [I32F32.div(value, total) for value in vector] if total else list(vector)


def kept(vector: Sequence[int], keep: Sequence[bool]) -> Vector:
    """Zero what is not kept."""
    return [value if stays else 0 for value, stays in zip(vector, keep, strict=True)]


def filtered(matrix: Matrix, keep: Callable[[int, int], bool]) -> Matrix:
    """Keep the entries for which `keep(row uid, column uid)` holds."""
    return [[(j, value) for j, value in row if keep(i, j)] for i, row in enumerate(matrix)]


def rows_normalized(matrix: Matrix) -> Matrix:
    """Divide each row by its sum where that is positive."""
    result: Matrix = []
    for row in matrix:
        total = sum(value for _, value in row)
        result.append([(j, I32F32.div(value, total)) for j, value in row] if total > 0 else list(row))
    return result


def columns_divided(matrix: Matrix, divisors: Sequence[int]) -> Matrix:
    """Divide each column by its divisor where that is not zero."""
    return [
        [(j, I32F32.div(value, divisors[j]) if divisors[j] else value) for j, value in row] for row in matrix
    ]


def column_sums(matrix: Matrix, columns: int) -> Vector:
    """Sum every column."""
    sums = [0] * columns
    for row in matrix:
        for j, value in row:
            sums[j] += value
    return sums


def column_maxima(matrix: Matrix, columns: int) -> Vector:
    """Take every column's largest entry, at least zero."""
    maxima = [0] * columns
    for row in matrix:
        for j, value in row:
            maxima[j] = max(maxima[j], value)
    return maxima


def row_sums(matrix: Matrix) -> Vector:
    """Sum every row."""
    return [sum(value for _, value in row) for row in matrix]


def rows_scaled(matrix: Matrix, factors: Sequence[int]) -> Matrix:
    """Multiply every row by its factor."""
    return [
        [(j, I32F32.mul(value, factor)) for j, value in row]
        for row, factor in zip(matrix, factors, strict=True)
    ]


def columns_scaled(matrix: Matrix, factors: Sequence[int]) -> Matrix:
    """Multiply every column by its factor."""
    return [[(j, I32F32.mul(value, factors[j])) for j, value in row] for row in matrix]


def column_votes(matrix: Matrix, voters: Sequence[int]) -> Vector:
    """Sum every column, each row weighted by its voter: `Σ_i voters_i · matrix_ij`."""
    return column_sums(rows_scaled(matrix, voters), len(matrix))


def clipped(matrix: Matrix, ceilings: Sequence[int]) -> Matrix:
    """Lower what exceeds its column's ceiling to it; a ceiling of zero removes the entry."""
    return [
        [(j, min(value, ceilings[j])) for j, value in row if value <= ceilings[j] or ceilings[j] > 0]
        for row in matrix
    ]


def blended(first: Matrix, second: Matrix, ratio: int) -> Matrix:
    """Move from `first` (ratio 0) towards `second` (ratio 1); entries that end up at zero are dropped."""
    if ratio == 0:
        return [list(row) for row in first]
    if ratio == I32F32.one:
        return [list(row) for row in second]
    result: Matrix = []
    for one, two in zip(first, second, strict=True):
        left, right = dict(one), dict(two)
        mixed = (
            (j, left.get(j, 0) + I32F32.mul(ratio, right.get(j, 0) - left.get(j, 0)))
            for j in sorted(left | right)
        )
        result.append([(j, value) for j, value in mixed if value > 0])
    return result


def weighted_median(stake: Sequence[int], score: Sequence[int], minority: int) -> int:
    """Find the smallest score that more than `minority` of the stake stays at or below.

    Zero without voters; the largest score where all the stake together does not exceed the minority.
    """
    order = sorted(range(len(stake)), key=score.__getitem__)
    below = 0
    for index in order:
        below += stake[index]
        if below > minority:
            return score[index]
    return score[order[-1]] if order else 0


def consensus_weights(stake: Sequence[int], weights: Matrix, kappa: int) -> Vector:
    """For every column, the largest weight that at least `kappa` of the active stake supports."""
    voters = [i for i, amount in enumerate(stake) if amount > 0]
    shares = normalized([stake[i] for i in voters])
    minority = sum(shares) - kappa
    scores = [[0] * len(voters) for _ in weights]
    for position, i in enumerate(voters):
        for j, value in weights[i]:
            scores[j][position] = value
    return [weighted_median(shares, column, minority) for column in scores]


def top_positive(vector: Sequence[int], count: int) -> list[bool]:
    """Mark the `count` largest entries, as far as they are not zero; among equals the later uid wins."""
    marked = [value != 0 for value in vector]
    order = sorted(range(len(vector)), key=vector.__getitem__)
    for index in order[: max(0, len(vector) - count)]:
        marked[index] = False
    return marked


def u16_share(bits: int) -> int:
    """Store a proportion (0 to 1) in 16 bits, floored."""
    return I32F32.to_int(I32F32.mul(bits, I32F32.of(U16_MAX)), 16)


def u16_shares(vector: Iterable[int]) -> list[int]:
    """Store proportions in 16 bits each."""
    return [u16_share(bits) for bits in vector]


def max_upscaled(values: Sequence[int]) -> list[int]:
    """Scale u16 weights so that the largest becomes 65535, as the chain does before storing them."""
    largest = I32F32.of(max(values, default=0))
    if largest == 0:
        return list(values)
    ceiling = I32F32.of(U16_MAX)
    if largest > I32F32.of(32_768):
        factor = I32F32.div(ceiling, largest)
        return [I32F32.rounded(I32F32.mul(I32F32.of(value), factor), 16) for value in values]
    return [
        I32F32.rounded(I32F32.div(I32F32.mul(I32F32.of(value), ceiling), largest), 16) for value in values
    ]
