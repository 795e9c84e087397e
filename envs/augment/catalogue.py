"""Tools of other trades, for distraction: what they are called, take, and reply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from palestra.envs.base import Json


@dataclass(frozen=True, slots=True)
class Decoy:
    """A tool that never reaches an environment."""

    name: str
    description: str
    parameters: Mapping[str, Json]
    kind: Literal["read", "write"]
    reply: Mapping[str, Json] = field(default_factory=dict)  # of one that reads, if it replies anything


_TEXT: Mapping[str, Json] = {"type": "string"}
_WHOLE: Mapping[str, Json] = {"type": "integer"}

CATALOGUE: Sequence[Decoy] = (
    Decoy("weather_forecast", "Get the weather of a place.", {"place": _TEXT}, "read", {"sky": "overcast"}),
    Decoy("tide_table", "Get the tides of a harbour.", {"harbour": _TEXT, "day": _TEXT}, "read", {"tide": "ebbing"}),
    Decoy("star_chart", "Get what can be seen in the night sky.", {"hour": _WHOLE}, "read", {"planet": "Saturn"}),
    Decoy("recipe_lookup", "Find a recipe by an ingredient.", {"ingredient": _TEXT}, "read", {"dish": "ratatouille"}),
    Decoy("song_lyrics", "Get the lyrics of a song.", {"song": _TEXT, "artist": _TEXT}, "read"),
    Decoy("translate_phrase", "Translate a phrase.", {"phrase": _TEXT, "language": _TEXT}, "read"),
    Decoy("chess_opening", "Name a chess opening from its moves.", {"moves": _TEXT}, "read", {"opening": "Caro-Kann"}),
    Decoy("bird_of_the_day", "Get today's bird.", {}, "read", {"bird": "hoopoe"}),
    Decoy("exchange_rate", "Get the rate between two currencies.", {"base": _TEXT, "quote": _TEXT}, "read"),
    Decoy("museum_hours", "Get a museum's opening hours.", {"museum": _TEXT}, "read", {"opens": "mornings only"}),
    Decoy("traffic_report", "Get the traffic on a road.", {"road": _TEXT}, "read", {"traffic": "flowing"}),
    Decoy("pollen_count", "Get the pollen in the air.", {"region": _TEXT}, "read", {"pollen": "moderate birch"}),
    Decoy("unit_of_measure", "Explain a unit of measure.", {"unit": _TEXT}, "read"),
    Decoy("crossword_hint", "Get a hint for a crossword clue.", {"clue": _TEXT, "letters": _WHOLE}, "read"),
    Decoy("water_plants", "Water the plants of a room.", {"room": _TEXT}, "write"),
    Decoy("dim_lights", "Dim the lights of a room.", {"room": _TEXT, "percent": _WHOLE}, "write"),
    Decoy("post_photo", "Post a photo to the public wall.", {"photo": _TEXT, "caption": _TEXT}, "write"),
    Decoy("order_pizza", "Order a pizza.", {"topping": _TEXT, "address": _TEXT}, "write"),
    Decoy("feed_aquarium", "Feed the fish.", {"grams": _WHOLE}, "write"),
    Decoy("start_dishwasher", "Start the dishwasher.", {"programme": _TEXT}, "write"),
    Decoy("print_poster", "Print a poster.", {"title": _TEXT, "copies": _WHOLE}, "write"),
    Decoy("reset_scoreboard", "Set the scoreboard of the gym to nil.", {"gym": _TEXT}, "write"),
)
