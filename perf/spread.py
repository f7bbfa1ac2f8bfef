"""How sure a median is."""

import math


def median_interval(values, sure=0.95):
    """(low, high): two of the values, between which the true median lies in `sure` of all such samples.

    Each value lies below the true median with a chance of one half, whatever their distribution; so what counts is a
    binomial distribution. With fewer than six values it is the least and the most, and not so sure.
    """
    values, count = sorted(values), len(values)
    below, skipped = 0.0, 0
    while skipped < (count - 1) // 2:
        below += math.comb(count, skipped) / 2 ** count
        if 2 * below > 1 - sure:
            break
        skipped += 1
    skipped = max(0, skipped - 1)
    return values[skipped], values[count - 1 - skipped]
