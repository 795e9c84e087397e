"""The clinic: patients, their visits, and the doctors they see."""

import random

from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.facts import OF_PEOPLE, draw, lookups
from palestra.envs.toolmini.pools import Pools, ids, people
from palestra.envs.toolmini.tables import Record, Schema, Tables, Tool

SCHEMA = Schema(
    tools=(
        Tool(
            name="find_patient",
            description="Find patients by name.",
            kind="find",
            table="patients",
            field="name",
            shows=("name", "*"),
        ),
        Tool(
            name="list_visits",
            description="List a patient's visits.",
            kind="find",
            table="visits",
            field="patient",
            shows=("doctor.name", "day", "minutes"),
        ),
        Tool(
            name="find_doctor",
            description="Find doctors by name.",
            kind="find",
            table="doctors",
            field="name",
            shows=("name", "room", "ext", "*"),
        ),
        Tool(
            name="move_visit",
            description="Move a visit to another day.",
            kind="set",
            table="visits",
            field="day",
        ),
        Tool(
            name="set_doctor",
            description="Give a visit another doctor.",
            kind="set",
            table="visits",
            field="doctor",
        ),
    ),
    nouns={"patients": "patient", "visits": "visit", "doctors": "doctor"},
    refs={"patient": "patients", "doctor": "doctors"},
    facts={"patients": OF_PEOPLE, "doctors": OF_PEOPLE},
)


def fill(rng: random.Random, pools: Pools, records: int, namesakes: int) -> Tables:
    """Return doctors, and patients with their visits, `records` each on average."""
    n_doctors = 2 * records
    doctors: dict[str, Record] = {
        id_: {"name": f"Dr. {last}", "room": room, "ext": ext, **draw(rng, pools, OF_PEOPLE)}
        for id_, last, room, ext in zip(
            ids(rng, "d", n_doctors),
            rng.sample(pools["last"], n_doctors),
            rng.sample(range(10, 100), n_doctors),
            rng.sample(range(100, 1000), n_doctors),
            strict=True,
        )
    }
    patients: dict[str, Record] = {
        id_: {"name": name, **draw(rng, pools, OF_PEOPLE)}
        for id_, name in zip(ids(rng, "p", records + 1), people(rng, pools, records + 1, namesakes), strict=True)
    }
    sizes = [rng.randint(1, 2 * records - 1) for _ in patients]
    visit_ids = iter(ids(rng, "v", sum(sizes)))
    visits: dict[str, Record] = {}
    days = [f"{month} {day}" for month in pools["month"] for day in range(1, 29)]
    for patient, size in zip(patients, sizes, strict=True):
        rows = zip(rng.sample(list(doctors), size), rng.sample(days, size), rng.sample(range(5, 60), size), strict=True)
        for doctor, day, minutes in rows:
            visits[next(visit_ids)] = {"patient": patient, "doctor": doctor, "day": day, "minutes": minutes}
    return {"patients": patients, "doctors": doctors, "visits": visits}


_TO_VISITS = (("find_patient", "patient.name"), ("list_visits", "patient"))
_TO_DOCTOR = ("find_doctor", "doctor.name")

DOMAIN = Domain(
    name="clinic",
    schema=SCHEMA,
    fill=fill,
    templates=(
        *lookups("patients", "patient", ("find_patient", "name"), OF_PEOPLE, first=2),
        *lookups("doctors", "doctor", ("find_doctor", "name"), OF_PEOPLE, first=0),
        Template(
            name="doctor_room",
            split="train",
            table="doctors",
            texts=("What is the room of {name}?", "In which room is {name}?", "Find the room number of {name}."),
            calls=(("find_doctor", "name"),),
            answer="room",
        ),
        Template(
            name="move_id",
            split="train",
            table="visits",
            texts=("Move visit {id} to {new}.", "Visit {id} must be on {new}. Move it.", "Change visit {id} to {new}."),
            calls=(("move_visit", "id", "new"),),
            answer="done",
            new="day",
        ),
        Template(
            name="assign_id",
            split="train",
            table="visits",
            texts=(
                "Give visit {id} to {new.name}.",
                "Visit {id} needs {new.name}. Set that doctor.",
                "Set the doctor of visit {id} to {new.name}.",
            ),
            calls=(("find_doctor", "new.name"), ("set_doctor", "id", "new")),
            answer="done",
            new="doctor",
        ),
        Template(
            name="visit_day",
            split="train",
            table="visits",
            texts=(
                "On which day does {patient.name} see {doctor.name}?",
                "What is the day of the visit of {patient.name} to {doctor.name}?",
                "{patient.name} will see {doctor.name}. On which day?",
            ),
            calls=_TO_VISITS,
            answer="day",
        ),
        Template(
            name="visit_count",
            split="train",
            table="visits",
            texts=(
                "How many visits does {patient.name} have?",
                "Count the visits of {patient.name}.",
                "What is the number of visits of {patient.name}?",
            ),
            calls=_TO_VISITS,
            answer="count",
            group="patient",
        ),
        Template(
            name="longest_doctor",
            split="train",
            table="visits",
            texts=(
                "Which doctor does {patient.name} see for the most minutes?",
                "Who is the doctor of the longest visit of {patient.name}?",
                "Name the doctor of the longest visit that {patient.name} has.",
            ),
            calls=_TO_VISITS,
            answer="doctor.name",
            group="patient",
            top="minutes",
        ),
        Template(
            name="room_on_day",
            split="train",
            table="visits",
            texts=(
                "In which room is the visit of {patient.name} on {day}? It is the doctor's room.",
                "{patient.name} sees a doctor on {day}. What is the room of that doctor?",
                "Find the room of the doctor whom {patient.name} sees on {day}.",
            ),
            calls=(*_TO_VISITS, _TO_DOCTOR),
            answer="doctor.room",
        ),
        Template(
            name="ext_of_visit",
            split="train",
            table="visits",
            texts=(
                "What is the ext of the doctor whom {patient.name} sees on {day}?",
                "{patient.name} has a visit on {day}. Which ext does that doctor have?",
                "Find the ext of the doctor of {patient.name} on {day}.",
            ),
            calls=(*_TO_VISITS, _TO_DOCTOR),
            answer="doctor.ext",
        ),
        Template(
            name="move_doctor",
            split="train",
            table="visits",
            texts=(
                "Move the visit of {patient.name} to {doctor.name} to {new}.",
                "{patient.name} wants to see {doctor.name} on {new}. Move that visit.",
                "Change the day of the visit of {patient.name} with {doctor.name} to {new}.",
            ),
            calls=(*_TO_VISITS, ("move_visit", "id", "new")),
            answer="done",
            new="day",
        ),
        Template(
            name="doctor_ext",
            split="heldout",
            table="doctors",
            texts=("Tell me the ext to call for {name}.", "{name} has which ext?"),
            calls=(("find_doctor", "name"),),
            answer="ext",
        ),
        Template(
            name="longest_day",
            split="heldout",
            table="visits",
            texts=(
                "When is the longest visit of {patient.name}? Give the day.",
                "Tell me the day when {patient.name} sees a doctor for the most minutes.",
            ),
            calls=_TO_VISITS,
            answer="day",
            group="patient",
            top="minutes",
        ),
        Template(
            name="doctor_on_day",
            split="heldout",
            table="visits",
            texts=(
                "Tell me the name of the doctor seeing {patient.name} on {day}.",
                "Who sees {patient.name} on {day}? Give the doctor's name.",
            ),
            calls=_TO_VISITS,
            answer="doctor.name",
        ),
        Template(
            name="longest_room",
            split="heldout",
            table="visits",
            texts=(
                "Tell me the room of the doctor of the longest visit that {patient.name} has.",
                "The longest visit of {patient.name}: in which room does its doctor work?",
            ),
            calls=(*_TO_VISITS, _TO_DOCTOR),
            answer="doctor.room",
            group="patient",
            top="minutes",
        ),
        Template(
            name="move_longest",
            split="heldout",
            table="visits",
            texts=(
                "Take the longest visit of {patient.name} and move it to {new}.",
                "{patient.name} needs another day, {new}, for the longest visit. Change it.",
            ),
            calls=(*_TO_VISITS, ("move_visit", "id", "new")),
            answer="done",
            group="patient",
            top="minutes",
            new="day",
        ),
    ),
)
