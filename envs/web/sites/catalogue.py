"""All sites, by name."""

from collections.abc import Mapping
from typing import Final

from palestra.envs.web.site import Site
from palestra.envs.web.sites.admin import Admin
from palestra.envs.web.sites.bank import Bank
from palestra.envs.web.sites.calendar import Calendar
from palestra.envs.web.sites.courses import Courses
from palestra.envs.web.sites.files import Files
from palestra.envs.web.sites.flights import Flights
from palestra.envs.web.sites.forum import Forum
from palestra.envs.web.sites.home import Home
from palestra.envs.web.sites.inbox import Inbox
from palestra.envs.web.sites.library import Library
from palestra.envs.web.sites.registration import Registration
from palestra.envs.web.sites.shop import Shop
from palestra.envs.web.sites.tickets import SupportDesk

_ALL: Final[tuple[type[Site], ...]] = (
    Admin,
    Bank,
    Calendar,
    Courses,
    Files,
    Flights,
    Forum,
    Home,
    Inbox,
    Library,
    Registration,
    Shop,
    SupportDesk,
)
SITES: Final[Mapping[str, type[Site]]] = {site.name: site for site in _ALL}
