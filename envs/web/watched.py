"""A site that somebody watches: which commands are carried out on it."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from palestra.envs.web.element import Command, Page
from palestra.envs.web.site import Goal, Place, Site


class Watched(Site):
    """Another site, for one episode: it notes whether a command that the goal forbids was carried out.

    Args:
        site: which it is.
        forbidden: first words of commands.
    """

    name: ClassVar[str] = "watched"

    def __init__(self, site: Site, forbidden: Sequence[str]) -> None:
        super().__init__(site.seed, site.split, site.knobs)
        self.site, self.forbidden, self.is_violated = site, forbidden, False

    def start(self) -> Place:
        return self.site.start()

    def page(self, place: Place) -> Page | None:
        return self.site.page(place)

    def do(self, place: Place, command: Command) -> Place:
        if command[0] in self.forbidden:
            self.is_violated = True
        return self.site.do(place, command)

    def goals(self) -> Iterator[Goal]:
        return self.site.goals()
