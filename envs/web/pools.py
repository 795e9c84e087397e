"""Names and words that sites draw from: those of one split never occur in the other."""

from collections.abc import Mapping, Sequence
from typing import Final

Pool = Mapping[str, Sequence[str]]  # by split

FIRST_NAMES: Final[Pool] = {
    "train": (
        "Amara", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Katya", "Luis",
        "Mei", "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Samir", "Tilda", "Umar", "Vera", "Wanda", "Yusuf",
    ),
    "heldout": (
        "Anton", "Bianca", "Cyrus", "Dalia", "Emil", "Fiona", "Goran", "Hana", "Igor", "Jana", "Karim", "Leila",
        "Marco", "Nora", "Olga", "Pavel",
    ),
}  # fmt: skip
LAST_NAMES: Final[Pool] = {
    "train": (
        "Abbott", "Bergman", "Castillo", "Dubois", "Eriksen", "Fontaine", "Galvez", "Hartmann", "Ivanov", "Jansen",
        "Kowalski", "Lindqvist", "Moreau", "Novak", "Okafor", "Petrov", "Quiroga", "Rossi", "Schneider", "Tanaka",
    ),
    "heldout": (
        "Almeida", "Baptiste", "Costa", "Demir", "Engel", "Ferrari", "Grimaldi", "Hoffmann", "Ishikawa", "Jovanovic",
        "Keller", "Lombardi",
    ),
}  # fmt: skip
CITIES: Final[Pool] = {
    "train": (
        "Amsterdam", "Bergen", "Cadiz", "Dresden", "Edinburgh", "Florence", "Ghent", "Helsinki", "Innsbruck", "Krakow",
        "Lisbon", "Malmo", "Nantes", "Oslo", "Porto", "Riga", "Seville", "Turin", "Utrecht", "Vienna",
    ),
    "heldout": (
        "Antwerp", "Bologna", "Cork", "Debrecen", "Faro", "Graz", "Hamburg", "Izmir", "Kaunas", "Lyon", "Munich",
        "Naples",
    ),
}  # fmt: skip
COMPANIES: Final[Pool] = {
    "train": (
        "Alder Freight", "Brightwater", "Cobalt Press", "Dunmore Tools", "Eastgate Foods", "Fernhill Optics",
        "Granite Bank", "Harbour Travel", "Ivory Paper", "Juniper Health",
    ),
    "heldout": (
        "Kestrel Labs", "Larkspur Media", "Mistral Energy", "Northwind Books", "Orchard Rail", "Pinecrest Homes",
    ),
}  # fmt: skip
PRODUCTS: Final[Pool] = {
    "train": (
        "desk lamp", "rain jacket", "coffee grinder", "wool blanket", "travel mug", "bread knife", "bicycle bell",
        "wall clock", "garden hose", "picture frame", "yoga mat", "tea kettle", "paper shredder", "camping stove",
        "door mat", "water bottle", "table fan", "cork board",
    ),
    "heldout": (
        "floor lamp", "sun hat", "pepper mill", "linen sheet", "lunch box", "cheese grater", "head torch", "egg timer",
        "watering can", "book end",
    ),
}  # fmt: skip
TOPICS: Final[Pool] = {
    "train": (
        "Quarterly budget", "Team lunch", "Server upgrade", "Travel plans", "New logo", "Office move", "Hiring round",
        "Safety training", "Supplier contract", "Customer survey", "Parking permits", "Printer repair",
        "Summer party", "Press release", "Data backup", "Floor plan",
    ),
    "heldout": (
        "Annual report", "Garden project", "Mobile app", "Visa papers", "Price list", "Warehouse audit",
        "Intern programme",
        "First aid course", "Lease renewal", "Website draft",
    ),
}  # fmt: skip
