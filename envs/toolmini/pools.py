"""Values that tasks are made of. The two splits share no word of any pool."""

import random
from collections.abc import Mapping

from palestra.envs.base import Json, Split

Pools = Mapping[str, tuple[str, ...]]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


POOLS: Mapping[Split, Pools] = {
    "train": {
        "first": _words(
            "Ana Ben Carla David Emma Frank Grace Henry Iris Jack Karen Leo Maria Nina Oscar Paul Rosa Sam Tina Victor"
        ),
        "last": _words(
            "Adams Baker Clark Davis Evans Fisher Green Hill Jones King Lopez Miller Moore Nelson Parker Reed Scott "
            "Turner Walker Young"
        ),
        "city": _words("Paris London Rome Madrid Berlin Vienna Oslo Dublin Boston Chicago Dallas Denver Miami Seattle"),
        "nick": _words("fox sun moon star bear wolf lion tiger apple rose river stone cloud storm blue red"),
        "host": _words("mail.com home.net post.org"),
        "make": _words("red blue green small large oak steel paper glass round soft old"),
        "thing": _words("lamp desk chair table clock shirt phone camera book bag cup hat"),
        "title_a": _words("Silent Golden Hidden Broken Winter Summer Secret Lost Last First Dark Bright"),
        "title_b": _words("House Garden Road Sea City Song War Dream Letter Mirror Island Forest"),
        "row": _words("A B C D E F G H"),
        "month": _words("Jan Feb Mar Apr May Jun Jul"),
        "language": _words("French German Italian Spanish Dutch Polish Swedish"),
        "color": _words("red blue green pink orange"),
        "brand": _words("Acme Nova Orbit Delta Alpha Vega"),
        "area": _words("201 303 405 507 609"),
    },
    "heldout": {
        "first": _words("Adam Bella Clara Daniel Elena Felix Hugo Irene Jonas Kate Laura Martin Olga Peter Ruth Simon"),
        "last": _words(
            "Allen Brown Carter Cook Ellis Foster Gray Harris Jackson Kelly Lewis Morgan Perry Rogers Ward Wood"
        ),
        "city": _words("Lisbon Prague Athens Milan Munich Geneva Cairo Delhi Tokyo Sydney Houston Phoenix"),
        "nick": _words("bird fish horse snow rain fire gold silver lemon tree lake wave"),
        "host": _words("box.com web.net"),
        "make": _words("black white yellow tiny heavy pine iron leather square hard"),
        "thing": _words("sofa couch basket carpet radio coat guitar bike bottle knife"),
        "title_a": _words("Empty Frozen Burning Distant Northern Quiet Ancient Final Wild Strange"),
        "title_b": _words("Bridge Castle Journey Desert Tower Valley Meadow Promise Shadow Window"),
        "row": _words("K L M N P R S T"),
        "month": _words("Aug Sep Oct Nov Dec"),
        "language": _words("Greek Turkish Danish Finnish Czech Irish"),
        "color": _words("black white yellow brown purple"),
        "brand": _words("Zenith Vertex Omega Summit Polar Titan"),
        "area": _words("210 312 414 516 618"),
    },
}


def ids(rng: random.Random, letter: str, n: int) -> list[str]:
    """Return `n` distinct ids such as ``o417``; numbers say nothing about order."""
    return [f"{letter}{number}" for number in rng.sample(range(100, 1000), n)]


def people(rng: random.Random, pools: Pools, n: int, namesakes: int) -> list[str]:
    """Return `n` distinct full names; each first name is shared by up to `namesakes` others."""
    each = namesakes + 1
    firsts = rng.sample(pools["first"], -(-n // each))
    return [f"{first} {last}" for first in firsts for last in rng.sample(pools["last"], each)][:n]


def pairs(rng: random.Random, pools: Pools, one: str, two: str, n: int) -> list[str]:
    """Return `n` distinct two-word names, a word of each pool."""
    every = [f"{a} {b}" for a in pools[one] for b in pools[two]]
    return rng.sample(every, n)


def fresh(rng: random.Random, pools: Pools, field: str) -> Json:
    """Return a random value of a plain field, by the field's name; cities are what nothing else is."""
    if field in ("shelf", "code"):
        return f"{rng.choice(pools['row'])}{rng.randint(10, 99)}"
    if field in ("day", "birthday"):
        return f"{rng.choice(pools['month'])} {rng.randint(1, 28)}"
    if field == "email":
        return f"{rng.choice(pools['nick'])}{rng.randint(10, 99)}@{rng.choice(pools['host'])}"
    if field == "phone":
        return f"{rng.choice(pools['area'])}-{rng.randint(1000, 9999)}"
    if field in ("score", "weight", "stock"):
        return rng.randint(10, 999)
    return rng.choice(pools[field if field in pools else "city"])
