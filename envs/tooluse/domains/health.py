"""A medical practice: clinicians, patients, appointments, prescriptions and what was measured."""

from palestra.envs.tooluse.draw import Clock, Code, Day, Money, OneOf, Pick, Ref, Rows, Whole
from palestra.envs.tooluse.schema import (
    Arg,
    Cell,
    Column,
    Const,
    Delete,
    Domain,
    Filter,
    Get,
    Insert,
    Param,
    Policy,
    Require,
    Search,
    Set,
    Sum,
    Table,
    Today,
    Total,
    Write,
)
from palestra.envs.tooluse.words import PEOPLE, words

_SPECIALTIES = ("general", "cardiology", "dermatology", "pediatrics")
_REASONS = ("checkup", "follow-up", "vaccination", "advice")
_STATES = ("booked", "attended", "cancelled")

_CLINICIANS = Table(
    name="clinicians",
    noun="clinician",
    prefix="cli",
    rows=24,
    named_by=("name",),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="extension", about="Telephone extension", draw=Code("####"), is_unique=True),
        Column(name="specialty", about="Specialty", draw=OneOf(*_SPECIALTIES), enum=_SPECIALTIES),
        Column(name="room", about="Consulting room", draw=Code("?-##")),
        Column(
            name="is_accepting",
            about="Whether new patients are accepted",
            draw=OneOf(True, False, weights=(3, 2)),
            type="boolean",
        ),
    ),
)
_PATIENTS = Table(
    name="patients",
    noun="patient",
    prefix="pat",
    rows=60,
    named_by=("name", "city"),
    columns=(
        Column(name="name", about="Full name", draw=Pick("first", "last")),
        Column(name="record_number", about="Number of the medical record", draw=Code("MR-#####"), is_unique=True),
        Column(name="birth_year", about="Year of birth", draw=Whole(1938, 2018), type="integer"),
        Column(name="city", about="City where the patient lives", draw=Pick("city")),
        Column(name="doctor_id", about="The patient's own doctor", draw=Ref("clinicians"), ref="clinicians"),
        Column(name="balance", about="What the patient owes", draw=Money(0, 240), type="number", unit="USD"),
    ),
)
_APPOINTMENTS = Table(
    name="appointments",
    noun="appointment",
    prefix="apt",
    rows=120,
    named_by=("patient_id.name", "clinician_id.name", "day"),
    columns=(
        Column(name="patient_id", about="Who is to be seen", draw=Ref("patients"), ref="patients"),
        Column(name="clinician_id", about="Who sees the patient", draw=Ref("clinicians"), ref="clinicians"),
        Column(name="day", about="Day of the appointment", draw=Day(-30, 45), format="date"),
        Column(name="time", about="Time at which it begins", draw=Clock(8, 17, 15), format="time"),
        Column(name="minutes", about="How long it takes", draw=Whole(15, 60, 15), type="integer", unit="minutes"),
        Column(name="reason", about="What it is for", draw=OneOf(*_REASONS), enum=_REASONS),
        Column(name="state", about="State", draw=OneOf(*_STATES, weights=(6, 3, 1)), enum=_STATES),
    ),
)
_PRESCRIPTIONS = Table(
    name="prescriptions",
    noun="prescription",
    prefix="prx",
    rows=90,
    named_by=("patient_id.name", "prescribed_on"),
    columns=(
        Column(name="patient_id", about="Who takes the drug", draw=Ref("patients"), ref="patients"),
        Column(name="clinician_id", about="Who prescribed it", draw=Ref("clinicians"), ref="clinicians"),
        Column(name="drug", about="Name of the drug", draw=Pick("drug")),
        Column(name="dose", about="Daily dose", draw=Whole(10, 400, 10), type="integer", unit="mg"),
        Column(name="refills", about="Refills left", draw=Whole(0, 5), type="integer"),
        Column(name="fee", about="What a refill costs the patient", draw=Money(2, 30), type="number", unit="USD"),
        Column(name="prescribed_on", about="Day of the prescription", draw=Day(-200, -1), format="date"),
    ),
)
_OBSERVATIONS = Table(
    name="observations",
    noun="observation",
    prefix="obs",
    rows=110,
    named_by=("patient_id.name", "measured_on"),
    columns=(
        Column(name="patient_id", about="Who was examined", draw=Ref("patients"), ref="patients"),
        Column(name="measured_on", about="Day of the examination", draw=Day(-90, -1), format="date"),
        Column(name="pulse", about="Resting pulse", draw=Whole(50, 110), type="integer", unit="beats per minute"),
        Column(name="pressure", about="Systolic blood pressure", draw=Whole(95, 170), type="integer", unit="mmHg"),
        Column(name="weight", about="Body weight", draw=Whole(45, 120), type="integer", unit="kg"),
    ),
)


def _settle(rows: Rows) -> None:
    """What is to come was not attended, and most that is past was; doctors prescribe for their own patients."""
    yesterday = max(row["measured_on"] for row in rows["observations"].values())
    for appointment in rows["appointments"].values():
        if appointment["state"] != "cancelled":
            appointment["state"] = "booked" if appointment["day"] > yesterday else "attended"
    for prescription in rows["prescriptions"].values():
        prescription["clinician_id"] = rows["patients"][prescription["patient_id"]]["doctor_id"]


_PATIENT = Param(name="patient_id", of="patients.id")
_NOT_PAST = Require(
    left=Arg("day"),
    op=">=",
    right=Today(),
    error="{day} is past; name today or a later day",
    policy="from_today_on",
)


def _booked(arg: str) -> Require:
    return Require(
        left=Cell(arg, "state"),
        op="==",
        right=Const("booked"),
        error=f"only booked appointments can be changed, and {{{arg}}} is not booked",
        policy="booked_only",
    )


HEALTH = Domain(
    name="health",
    about="You keep the appointments and records of a medical practice.",
    tables=(_CLINICIANS, _PATIENTS, _APPOINTMENTS, _PRESCRIPTIONS, _OBSERVATIONS),
    settle=_settle,
    policies=(
        Policy(name="booked_only", text="An appointment can be changed or cancelled only while it is booked."),
        Policy(name="from_today_on", text="Appointments are made for today or a later day."),
        Policy(name="accepting", text="Patients are handed over only to a doctor who accepts new patients."),
        Policy(name="dose_cap", text="No daily dose above 300 mg is prescribed."),
        Policy(name="refills_left", text="A prescription can be refilled only while it has refills left."),
    ),
    tools=(
        Search(
            name="search_patients",
            about="Find patients by name, city or doctor.",
            table="patients",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="city", path="city"),
                Filter(arg="doctor_id", path="doctor_id"),
            ),
            shows=("name", "birth_year", "city"),
        ),
        Get(
            name="get_patient",
            about="Show a patient's record with doctor and balance.",
            table="patients",
            arg="patient_id",
            shows=("name", "record_number", "birth_year", "city", "doctor_id", "doctor_id.name", "balance"),
        ),
        Get(
            name="find_patient_by_record_number",
            about="Find the patient to whom a medical record belongs.",
            table="patients",
            arg="record_number",
            by="record_number",
            shows=("name", "record_number", "birth_year"),
        ),
        Search(
            name="search_clinicians",
            about="Find clinicians by name, specialty or whether they accept new patients.",
            table="clinicians",
            filters=(
                Filter(arg="name", path="name", compare="has_words"),
                Filter(arg="specialty", path="specialty"),
                Filter(arg="is_accepting", path="is_accepting"),
            ),
            shows=("name", "specialty", "is_accepting"),
        ),
        Get(
            name="get_clinician",
            about="Show a clinician with room and telephone extension.",
            table="clinicians",
            arg="clinician_id",
            shows=("name", "specialty", "extension", "room", "is_accepting"),
        ),
        Search(
            name="list_appointments",
            about="List appointments by patient, clinician, state or day.",
            table="appointments",
            filters=(
                Filter(arg="patient_id", path="patient_id"),
                Filter(arg="clinician_id", path="clinician_id"),
                Filter(arg="state", path="state"),
                Filter(arg="from_day", path="day", compare="at_least"),
                Filter(arg="until_day", path="day", compare="at_most"),
            ),
            shows=("patient_id", "patient_id.name", "clinician_id", "clinician_id.name", "day", "time", "state"),
        ),
        Get(
            name="get_appointment",
            about="Show everything about an appointment.",
            table="appointments",
            arg="appointment_id",
            shows=("patient_id", "patient_id.name", "clinician_id", "day", "time", "minutes", "reason", "state"),
        ),
        Search(
            name="list_prescriptions",
            about="List prescriptions by patient, clinician or drug.",
            table="prescriptions",
            filters=(
                Filter(arg="patient_id", path="patient_id"),
                Filter(arg="clinician_id", path="clinician_id"),
                Filter(arg="drug", path="drug"),
            ),
            shows=("patient_id", "patient_id.name", "clinician_id", "drug", "dose", "refills", "fee", "prescribed_on"),
        ),
        Search(
            name="list_observations",
            about="List what was measured, by patient and day.",
            table="observations",
            filters=(
                Filter(arg="patient_id", path="patient_id"),
                Filter(arg="from_day", path="measured_on", compare="at_least"),
                Filter(arg="until_day", path="measured_on", compare="at_most"),
            ),
            shows=("patient_id", "patient_id.name", "measured_on", "pulse", "pressure", "weight"),
        ),
        Total(
            name="highest_pressure",
            about="Show the highest systolic blood pressure that was measured, by patient and day.",
            table="observations",
            filters=(
                Filter(arg="patient_id", path="patient_id"),
                Filter(arg="from_day", path="measured_on", compare="at_least"),
            ),
            how="max",
            of="pressure",
        ),
        Total(
            name="total_minutes",
            about="Add up the length of appointments, by clinician, patient, state and day.",
            table="appointments",
            filters=(
                Filter(arg="clinician_id", path="clinician_id"),
                Filter(arg="patient_id", path="patient_id"),
                Filter(arg="state", path="state"),
                Filter(arg="day", path="day"),
            ),
            how="sum",
            of="minutes",
        ),
        Write(
            name="book_appointment",
            about="Make an appointment for a patient with a clinician.",
            params=(
                _PATIENT,
                Param(name="clinician_id", of="clinicians.id"),
                Param(name="day", of="appointments.day"),
                Param(name="time", of="appointments.time"),
                Param(name="minutes", of="appointments.minutes", minimum=5, maximum=120),
                Param(name="reason", of="appointments.reason"),
            ),
            requires=(_NOT_PAST,),
            effects=(
                Insert(
                    "appointments",
                    {
                        "patient_id": Arg("patient_id"),
                        "clinician_id": Arg("clinician_id"),
                        "day": Arg("day"),
                        "time": Arg("time"),
                        "minutes": Arg("minutes"),
                        "reason": Arg("reason"),
                        "state": Const("booked"),
                    },
                ),
            ),
            asks=(
                "book {patient_id} in with {clinician_id} on {day} at {time} for {minutes} minutes ({reason})",
                "make an appointment of {minutes} minutes for {patient_id} with {clinician_id} on {day} at {time}, "
                "the reason being {reason}",
                "give {patient_id} {minutes} minutes with {clinician_id} at {time} on {day}, reason: {reason}",
            ),
        ),
        Write(
            name="cancel_appointment",
            about="Cancel a booked appointment.",
            params=(Param(name="appointment_id", of="appointments.id"),),
            requires=(_booked("appointment_id"),),
            effects=(Set("appointment_id", "state", Const("cancelled")),),
            asks=("cancel {appointment_id}", "call off {appointment_id}", "have {appointment_id} cancelled"),
            is_idempotent=True,
        ),
        Write(
            name="swap_appointments",
            about="Let two booked appointments change places: each gets the day and time of the other.",
            params=(
                Param(name="first_appointment_id", of="appointments.id"),
                Param(name="second_appointment_id", of="appointments.id"),
            ),
            requires=(
                Require(
                    left=Arg("first_appointment_id"),
                    op="!=",
                    right=Arg("second_appointment_id"),
                    error="{first_appointment_id} was named twice; name two appointments",
                ),
                _booked("first_appointment_id"),
                _booked("second_appointment_id"),
            ),
            effects=(
                Set("first_appointment_id", "day", Cell("second_appointment_id", "day")),
                Set("first_appointment_id", "time", Cell("second_appointment_id", "time")),
                Set("second_appointment_id", "day", Cell("first_appointment_id", "day")),
                Set("second_appointment_id", "time", Cell("first_appointment_id", "time")),
            ),
            asks=(
                "swap {first_appointment_id} with {second_appointment_id}",
                "let {first_appointment_id} change places with {second_appointment_id}",
                "exchange the day and time of {first_appointment_id} for those of {second_appointment_id}",
            ),
        ),
        Write(
            name="prescribe",
            about="Prescribe a drug for a patient in the name of the patient's doctor.",
            params=(
                _PATIENT,
                Param(name="drug", of="prescriptions.drug"),
                Param(name="dose", of="prescriptions.dose", minimum=1, maximum=1000),
                Param(name="refills", of="prescriptions.refills", minimum=2, maximum=12),
                Param(name="fee", of="prescriptions.fee", minimum=0, maximum=100),
            ),
            requires=(
                Require(
                    left=Arg("dose"),
                    op="<=",
                    right=Const(300),
                    error="at most 300 mg a day can be prescribed, and {dose} mg were asked for",
                    policy="dose_cap",
                ),
            ),
            effects=(
                Insert(
                    "prescriptions",
                    {
                        "patient_id": Arg("patient_id"),
                        "clinician_id": Cell("patient_id", "doctor_id"),
                        "drug": Arg("drug"),
                        "dose": Arg("dose"),
                        "refills": Arg("refills"),
                        "fee": Arg("fee"),
                        "prescribed_on": Today(),
                    },
                ),
            ),
            asks=(
                "prescribe {patient_id} {dose} mg of {drug} a day with {refills} refills at {fee} USD each",
                "write {patient_id} a prescription of {drug}: {dose} mg daily, {refills} refills, {fee} USD a refill",
                "put {patient_id} on {dose} mg of {drug} a day, with {refills} refills and a fee of {fee} USD for each",
            ),
        ),
        Write(
            name="refill_prescription",
            about="Refill a prescription; its fee is added to what the patient owes.",
            params=(Param(name="prescription_id", of="prescriptions.id"),),
            requires=(
                Require(
                    left=Cell("prescription_id", "refills"),
                    op=">",
                    right=Const(0),
                    error="{prescription_id} has no refills left",
                    policy="refills_left",
                ),
            ),
            effects=(
                Set("prescription_id", "refills", Sum(Cell("prescription_id", "refills"), Const(1), -1)),
                Set(
                    "prescription_id",
                    "patient_id.balance",
                    Sum(Cell("prescription_id", "patient_id.balance"), Cell("prescription_id", "fee")),
                ),
            ),
            asks=("refill {prescription_id}", "have {prescription_id} refilled", "issue a refill of {prescription_id}"),
        ),
        Write(
            name="record_observation",
            about="Record what was measured of a patient today.",
            params=(
                _PATIENT,
                Param(name="pulse", of="observations.pulse", minimum=20, maximum=250),
                Param(name="pressure", of="observations.pressure", minimum=50, maximum=260),
                Param(name="weight", of="observations.weight", minimum=1, maximum=400),
            ),
            effects=(
                Insert(
                    "observations",
                    {
                        "patient_id": Arg("patient_id"),
                        "measured_on": Today(),
                        "pulse": Arg("pulse"),
                        "pressure": Arg("pressure"),
                        "weight": Arg("weight"),
                    },
                ),
            ),
            asks=(
                "record a pulse of {pulse}, a systolic pressure of {pressure} mmHg and a weight of {weight} kg "
                "for {patient_id}",
                "enter what was measured of {patient_id}: pulse {pulse}, pressure {pressure} mmHg, weight {weight} kg",
                "note that {patient_id} was measured today with a pulse of {pulse}, a pressure of {pressure} mmHg "
                "and a weight of {weight} kg",
            ),
        ),
        Write(
            name="delete_observation",
            about="Delete an observation that was recorded by mistake.",
            params=(Param(name="observation_id", of="observations.id"),),
            effects=(Delete("observation_id"),),
            asks=("delete {observation_id}", "remove {observation_id}", "strike {observation_id} from the record"),
            is_idempotent=True,
        ),
        Write(
            name="change_doctor",
            about="Hand a patient over to another doctor.",
            params=(
                _PATIENT,
                Param(name="clinician_id", of="clinicians.id", about="The id of the clinician who takes over"),
            ),
            requires=(
                Require(
                    left=Cell("clinician_id", "is_accepting"),
                    op="==",
                    right=Const(True),
                    error="{clinician_id} accepts no new patients; choose another doctor",
                    policy="accepting",
                ),
            ),
            effects=(Set("patient_id", "doctor_id", Arg("clinician_id")),),
            asks=(
                "make {clinician_id} the doctor of {patient_id}",
                "hand {patient_id} over to {clinician_id}",
                "change the doctor of {patient_id} to {clinician_id}",
            ),
            is_idempotent=True,
        ),
    ),
    pools={
        "train": PEOPLE["train"]
        | {"drug": words("Nervalin Cardoxil Pulmitan Dermafen Gastrolin Somnavex Artrizol Vistamil Ketorin Balsamide")},
        "heldout": PEOPLE["heldout"]
        | {"drug": words("Hepradol Migranex Renofil Allerzan Tussomin Febranol Ostevia Lipocor Zantorel Quiremol")},
    },
)
