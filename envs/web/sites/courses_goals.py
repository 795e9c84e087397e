"""What is asked for on a platform of courses."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Final

from palestra.envs.base import Json
from palestra.envs.web.site import Goal, Site
from palestra.envs.web.sites.goals import Goals
from palestra.envs.web.sites.school import DAYS, HOURS, MONTH, PLANS, SUBJECTS, Rows
from palestra.envs.web.verify import together

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("Clear and short.", "Too many slides.", "I learned a lot.", "More practice, please."),
    "heldout": ("Well prepared.", "A bit slow.", "Good examples.", "I would take it again."),
}


class CourseGoals(Goals):
    """The goals of one platform."""

    everywhere: ClassVar[tuple[str, ...]] = ("to /", "to /?*", "to /mine", "do close survey", "do not yet", "do stay")

    def __init__(self, site: Site, courses: Rows, lessons: Rows, enrolments: Rows, full: frozenset[str]) -> None:
        self._courses, self._lessons, self._enrolments, self._full = courses, lessons, enrolments, full
        super().__init__(site)

    def undoing(self, wrong: Mapping[str, Json]) -> Iterator[str]:
        """Yield the keys that leave a course that nobody asked for, or enrol again."""
        for cell, value in wrong.items():
            table, one, *_ = cell.split("/")
            if table == "enrolments" and value is not None:
                yield from (f"do leaving {one}", f"do leave {one}")
            if table == "enrolments" and one in self._enrolments:
                yield from (*self._way(one), f"plan={self._enrolments[one]['plan']}", f"do enrol {one}")

    def _all(self) -> Iterator[Goal]:
        draws = self._site.draws("goals")
        other = draws.shuffled([one for one in self._courses if int(one) > 3])
        mine = draws.shuffled(["1", "2"])
        free = [day for day in DAYS if day not in self._full]
        yield self._enrol("enrol", other[0])
        yield self._enrol("course is full", "3", "infeasible")
        yield self._exam("exam", mine[0], draws.pick(free))
        yield self._exam("day is full", mine[1], draws.pick(sorted(self._full)), "infeasible")
        yield self._review(mine[1])
        yield self._lessons_done(mine[0])
        yield self._leave(mine[1])
        yield from self._asked(other)

    def _title(self, one: str) -> str:
        return f'"{self._courses[one]["title"]}"'

    def _way(self, one: str) -> tuple[str, ...]:
        """Return the keys that lead to a course."""
        return f"to /course/{one}", f"do open {one}", f"do subject {self._courses[one]['subject']}", "do subject All"

    def _search(self, one: str) -> dict[str, str]:
        return {"q": str(self._courses[one]["title"])}

    def _enrol(self, template: str, one: str, kind: str = "change") -> Goal:
        plan = self._site.draws(template).pick(PLANS)
        intent = self.said(
            f"Enrol in the course {self._title(one)} with the plan: {plan}.",
            f"Sign up for {self._title(one)}; the plan is {plan}.",
        )
        facts = (f"{self._courses[one]['title']} is full; nobody can enrol.",) if kind == "infeasible" else ()
        changed = {f"enrolments/{one}/plan": plan}
        goal = Goal(kind=kind, template=template, intent=intent, changes=changed, facts=facts, values=(plan,))
        return self.about(goal, *self._way(one), f"do enrol {one}", plan=plan, **self._search(one))

    def _exam(self, template: str, one: str, day: str, kind: str = "change") -> Goal:
        hour = self._site.draws(template).pick(HOURS)
        intent = self.said(
            f"Book the exam of {self._title(one)} for {day} {MONTH} at {hour}.",
            f"I want to take the exam of {self._title(one)} on {day} {MONTH}, at {hour}. Book it.",
        )
        facts = (together(str(self._courses[one]["title"]), f"{day} (full)"),) if kind == "infeasible" else ()
        changed = {f"exams/{one}/day": day, f"exams/{one}/hour": hour}
        goal = Goal(kind=kind, template=template, intent=intent, changes=changed, facts=facts, values=(day, hour))
        keys = ("do tab Exam", "do calendar", f"do day {day}", "do ask", f"do book {one}")
        return self.about(goal, *self._way(one), *keys, hour=hour, **self._search(one))

    def _review(self, one: str) -> Goal:
        draws = self._site.draws("review")
        stars, words, named = draws.pick((1, 2, 4, 5)), draws.pick(_WORDS[self._site.split]), draws.chance(0.5)
        shown = "with your name" if named else "without your name"
        intent = self.said(
            f'Review {self._title(one)} with {stars} stars and the words "{words}" ({shown}).',
            f'Give {self._title(one)} {stars} stars, {shown}, and write "{words}" as the review.',
        )
        new: dict[str, Json] = {"stars": stars, "words": words, "named": named}
        changed = {f"reviews/{one}/{name}": value for name, value in new.items()}
        goal = Goal(kind="change", template="review", intent=intent, changes=changed, values=(str(stars), words))
        keys = ("do tab Reviews", f"do review {one}", "named")
        return self.about(goal, *self._way(one), *keys, stars=str(stars), words=words, **self._search(one))

    def _lessons_done(self, course: str) -> Goal:
        one = self._site.draws("done").pick([one for one, cells in self._lessons.items() if cells["course"] == course])
        cells = self._lessons[one]
        intent = self.said(
            f'Mark the lesson "{cells["title"]}" of {self._title(course)} ({cells["module"]}) as done.',
            f'You have finished "{cells["title"]}" ({self._title(course)}, {cells["module"]}): mark it as done.',
        )
        goal = Goal(kind="change", template="lesson", intent=intent, changes={f"done/{one}/done": True})
        return self.about(goal, *self._lesson_way(one), f"do done {one}", **self._search(course))

    def _lesson_way(self, one: str) -> tuple[str, ...]:
        cells = self._lessons[one]
        ways = (*self._way(str(cells["course"])), "do tab Content")
        return (*ways, f"do module {cells['module']}", f"to /lesson/{one}")

    def _leave(self, one: str) -> Goal:
        intent = self.said(f"Leave the course {self._title(one)}.", f"You do not want {self._title(one)}: leave it.")
        goal = Goal(kind="change", template="leave", intent=intent, changes={f"enrolments/{one}": None})
        return self.about(goal, f"do leaving {one}", f"do leave {one}")

    def _asked(self, courses: list[str]) -> Iterator[Goal]:
        """Yield what is asked of courses that one does not take."""
        one, second = courses[:2]
        title, teacher = str(self._courses[one]["title"]), str(self._courses[one]["teacher"])
        intent = self.said(f"Who teaches {self._title(one)}?", f"Whose course is {self._title(one)}?")
        facts = (together(title, f"Taught by {teacher}"),)
        goal = Goal(kind="answer", template="teacher", intent=intent, answer=teacher, facts=facts)
        yield self.about(goal, *self._way(one), **self._search(one))
        lesson = self._site.draws("minutes").pick(
            [number for number, cells in self._lessons.items() if cells["course"] == second]
        )
        cells = self._lessons[lesson]
        intent = self.said(
            f'How many minutes does "{cells["title"]}" of {self._title(second)} take? Answer with a number.',
            f'Tell me, as a number, the minutes that "{cells["title"]}" ({self._title(second)}) takes.',
        )
        minutes = int(cells["minutes"])
        facts = (together(str(cells["title"]), f"Takes {minutes} minutes."),)
        goal = Goal(kind="answer", template="minutes", intent=intent, answer=minutes, facts=facts)
        yield self.about(goal, *self._lesson_way(lesson), **self._search(second))
        subject = self._site.draws("count").pick(SUBJECTS[1:])
        found = [str(cells["title"]) for cells in self._courses.values() if cells["subject"] == subject]
        intent = self.said(
            f"How many courses are there in the subject {subject}? Answer with a number.",
            f"Count the courses of the subject {subject}; answer with the number alone.",
        )
        told = tuple(found) or ("There are no courses.",)
        goal = Goal(kind="answer", template="count", intent=intent, answer=len(found), facts=told)
        yield self.about(goal, f"do subject {subject}")
