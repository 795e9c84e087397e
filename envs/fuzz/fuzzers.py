"""Ways to look for an input without reading the program: random changes, and a climb along the distance."""

import random
from collections.abc import Callable
from typing import Final

_INTERESTING: Final = (0, 1, 16, 32, 48, 64, 100, 127, 128, 255)
_MOST_CHANGES: Final = 4
_GROWS: Final = 0.05  # how often a climber goes on from an input that is longer and no nearer

Draw = Callable[[], float]  # from 0 to below 1


def draws_of(seed: int) -> Draw:
    """Return random numbers that are the same in every Python."""
    return random.Random(seed).random


def mutated(data: bytes, draw: Draw, most: int) -> bytes:
    """Return an input with one to four random changes: bytes set, moved, flipped, left out, put in or doubled."""
    changed = bytearray(data)
    for _ in range(1 + int(draw() ** 2 * _MOST_CHANGES)):  # most often one
        kind, place = int(draw() * 7), int(draw() * (len(changed) + 1))
        if kind == 0 or place == len(changed):
            changed.insert(place, int(draw() * 256))
        elif kind == 1:
            changed[place] = int(draw() * 256)
        elif kind == 2:
            changed[place] ^= 1 << int(draw() * 8)
        elif kind == 3:
            changed[place] = (changed[place] + int(draw() * 71) - 35) % 256
        elif kind == 4:
            changed[place] = _INTERESTING[int(draw() * len(_INTERESTING))]
        elif kind == 5:
            del changed[place]
        else:
            changed[place:place] = changed[place : place + 1 + int(draw() * 4)]
    return bytes(changed[:most])


def random_search(hits: Callable[[bytes], bool], start: bytes, draw: Draw, tries: int, most: int) -> int | None:
    """Return how many changes of one input were tried when the first hit; None if none of them did."""
    for number in range(1, tries + 1):
        if hits(mutated(start, draw, most)):
            return number
    return None


def climb(distance: Callable[[bytes], float], start: bytes, draw: Draw, tries: int, most: int) -> int | None:
    """Return how many inputs a hill climber tried until the distance was 0; None if it never was.

    It changes the best input so far, and goes on from what is nearer, from what is as near and no longer, and now and
    then from what is as near and longer, up to about twice the length of the first.
    """
    best, least, most = start, distance(start), min(most, 2 * len(start) + 8)
    for number in range(1, tries + 1):
        data = mutated(best, draw, most)
        now = distance(data)
        if now == 0:
            return number
        if now < least or (now == least and (len(data) <= len(best) or draw() < _GROWS)):
            best, least = data, now
    return None
