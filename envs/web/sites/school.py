"""What is taught on a platform of courses: titles, teachers, modules of lessons, days of exams."""

from collections.abc import Mapping, Sequence
from typing import Final

from palestra.envs.base import Json
from palestra.envs.web.pools import FIRST_NAMES, LAST_NAMES, PRODUCTS, TOPICS
from palestra.envs.web.site import Site

SUBJECTS: Final = ("All", "Office", "Craft", "Languages")
PLANS: Final = ("Listener", "Certificate")
HOURS: Final = ("09:00", "11:30", "15:00")
MONTH: Final = "May 2027"
DAYS: Final = tuple(str(day) for day in range(1, 29))
MODULES: Final = ("Basics", "Practice", "Going on")
Rows = Mapping[str, Mapping[str, Json]]
_LEVELS: Final = ("for beginners", "in a week", "step by step", "for experts")


def drawn_courses(site: Site) -> Rows:
    """Return the courses of a platform, by number; nobody can enrol in the third."""
    draws = site.draws("courses")
    titles = draws.shuffled([f"{topic} {level}" for topic in TOPICS[site.split] for level in _LEVELS])
    return {
        str(place + 1): {
            "title": title,
            "subject": draws.pick(SUBJECTS[1:]),
            "teacher": f"{draws.pick(FIRST_NAMES[site.split])} {draws.pick(LAST_NAMES[site.split])}",
            "price": 5 * draws.between(4, 40),
            "full": place == 2,
        }
        for place, title in enumerate(titles[: max(6, site.knobs.size)])
    }


def drawn_lessons(site: Site, courses: Rows) -> Rows:
    """Return the lessons of all courses, by number."""
    draws, lessons = site.draws("lessons"), dict[str, dict[str, Json]]()
    for course in courses:
        about = draws.shuffled(PRODUCTS[site.split])
        for module in MODULES:
            for _ in range(draws.between(1, 3)):
                title = f"The {about[len(lessons) % len(about)]}, part {draws.between(1, 9)}"
                told = {"course": course, "module": module, "title": title, "minutes": draws.between(5, 90)}
                lessons[str(len(lessons) + 1)] = told
    return lessons


def modules_of(lessons: Rows, course: str) -> Sequence[str]:
    """Return the modules of a course that have lessons."""
    return tuple(dict.fromkeys(str(cells["module"]) for cells in lessons.values() if cells["course"] == course))


def full_days(site: Site) -> frozenset[str]:
    """Return the days on which no more exams are taken."""
    return frozenset(site.draws("full").shuffled(DAYS)[:6])
