"""Every domain by name."""

from collections.abc import Mapping
from types import MappingProxyType

from palestra.envs.tooluse.domains.banking import BANKING
from palestra.envs.tooluse.domains.calendar_mail import CALENDAR_MAIL
from palestra.envs.tooluse.domains.files import FILES
from palestra.envs.tooluse.domains.health import HEALTH
from palestra.envs.tooluse.domains.restaurant import RESTAURANT
from palestra.envs.tooluse.domains.retail import RETAIL
from palestra.envs.tooluse.domains.tickets import TICKETS
from palestra.envs.tooluse.domains.travel import TRAVEL
from palestra.envs.tooluse.domains.vehicles import VEHICLES
from palestra.envs.tooluse.schema import Domain

DOMAINS: Mapping[str, Domain] = MappingProxyType(
    {
        "banking": BANKING,
        "calendar_mail": CALENDAR_MAIL,
        "files": FILES,
        "health": HEALTH,
        "restaurant": RESTAURANT,
        "retail": RETAIL,
        "tickets": TICKETS,
        "travel": TRAVEL,
        "vehicles": VEHICLES,
    }
)
