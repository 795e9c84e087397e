"""Courses: a catalogue with suggestions and tabs, modules that open to lessons, reviews, exams on a calendar's days."""

from typing import ClassVar, Final

from palestra.envs.base import Json, Split
from palestra.envs.web.element import (
    Command,
    Element,
    Page,
    alert,
    box,
    button,
    dialog,
    entry,
    form,
    heading,
    link,
    listing,
    number,
    part,
    pressed,
    radios,
    status,
    text,
)
from palestra.envs.web.site import Knobs, Place
from palestra.envs.web.sites.courses_goals import CourseGoals
from palestra.envs.web.sites.goals import AskingSite
from palestra.envs.web.sites.school import (
    DAYS,
    HOURS,
    MONTH,
    PLANS,
    SUBJECTS,
    Rows,
    drawn_courses,
    drawn_lessons,
    full_days,
    modules_of,
)
from palestra.envs.web.sites.shared import leaflet, links_beside, offer, shown_part

_TABS: Final = ("Content", "Exam", "Reviews")
_HINTS: Final = 4  # courses that are suggested


class Courses(AskingSite):
    """A platform whose truth is who takes what: enrolments, lessons that are done, exams, reviews."""

    name: ClassVar[str] = "courses"

    def __init__(self, seed: int, split: Split, knobs: Knobs) -> None:
        super().__init__(seed, split, knobs)
        self._courses = drawn_courses(self)
        self._lessons = drawn_lessons(self, self._courses)
        self._full = full_days(self)
        self._enrolments: Rows = {"1": {"plan": PLANS[0]}, "2": {"plan": PLANS[1]}}
        labels = self.draws("labels")
        self._words = {
            "q": labels.pick(("Search courses", "Find a course", "Course")),
            "enrol": labels.pick(("Enrol", "Join this course", "Sign up")),
            "done": labels.pick(("Mark as done", "I have finished this", "Done")),
            "stars": labels.pick(("Stars", "Rating from 1 to 5", "How many stars?")),
            "send": labels.pick(("Send the review", "Publish", "Send")),
        }
        self._goals = CourseGoals(self, self._courses, self._lessons, self._enrolments, self._full)

    # -- pages -------------------------------------------------------------------------------------

    def start(self) -> Place:
        data = {"enrolments": self._enrolments, "done": {}, "exams": {}, "reviews": {}}
        return Place(data=data, visit={"closed": not self.knobs.popups, "asked": not self.knobs.popups}, path="/")

    def page(self, place: Place) -> Page | None:
        kind, _, which = place.path.strip("/").partition("/")
        if place.path == "/":
            return self._catalogue(place)
        if kind == "course" and which in self._courses:
            return self._course(place, which)
        if kind == "lesson" and which in self._lessons:
            return self._lesson(place, which)
        if place.path == "/mine":
            return self._mine(place)
        if title := leaflet(place.path):
            return Page(title, (heading(title, 1), text("Nothing to see here yet."), link("Courses", "/")))
        return None

    def _catalogue(self, place: Place) -> Page:
        ui = place.ui
        typed, subject = str(ui.get("q", "")), place.query.get("subject", SUBJECTS[0])
        subject = subject if subject in SUBJECTS else SUBJECTS[0]
        titles = {one: str(cells["title"]) for one, cells in self._courses.items()}
        hints = [one for one, title in titles.items() if typed and typed.casefold() in title.casefold()][:_HINTS]
        suggested = [pressed("option", titles[one], ("open", one), selected=False) for one in hints]
        tabs = (pressed("tab", one, ("subject", one), selected=one == subject) for one in SUBJECTS)
        found = [one for one in self._courses if subject in (SUBJECTS[0], self._courses[one]["subject"])]
        now, pages = shown_part(place, found, max(4, -(-len(found) // max(1, self.knobs.pages))))
        listed = listing("Courses", [[link(titles[one], f"/course/{one}")] for one in now])
        body = (
            heading("Courses", 1),
            entry(self._words["q"], "q", ui, role="searchbox"),
            *([part("listbox", "Suggestions", *suggested)] if suggested else []),
            part("tablist", "Subjects", *tabs),
            part("tabpanel", subject, listed if now else text("There are no courses."), *pages),
            link("My courses", "/mine"),
            part("navigation", "More", *links_beside(self.draws("beside"), self.knobs.distractors)),
        )
        return Page("Courses", body, None if place.visit["closed"] else offer(self.draws("offer"), "close offer"))

    def _course(self, place: Place, which: str) -> Page:
        cells, tab = self._courses[which], str(place.ui.get("tab", _TABS[0]))
        title = str(cells["title"])
        told = [text(f"Taught by {cells['teacher']}"), text(f"The certificate costs EUR {cells['price']}.")]
        told = self.draws("layout").shuffled(told) if self.knobs.shuffle else told
        inside = {"Content": self._content, "Exam": self._exam, "Reviews": self._reviews}[tab](place, which)
        tabs = part(
            "tablist", "About the course", *(pressed("tab", one, ("tab", one), selected=one == tab) for one in _TABS)
        )
        problem = [alert(str(place.ui["problem"]))] if place.ui.get("problem") else []
        ways = (link("All courses", "/"), link("My courses", "/mine"))
        body = (heading(title, 1), *told, *problem, *self._joining(place, which), tabs, part("tabpanel", tab, *inside))
        asked = place.ui.get("asked") and dialog(
            f"Book the exam on {place.ui['day']} {MONTH}?",
            text(f"It begins at {place.ui['hour']}."),
            button("Book it", ("book", which)),
            button("Not yet", ("not yet",)),
        )
        in_the_way = None if place.visit["asked"] else offer(self.draws("survey"), "close survey")
        return Page(title, (*body, *ways), in_the_way or asked or None)

    def _joining(self, place: Place, which: str) -> list[Element]:
        if which in place.data["enrolments"]:
            return [text(f"You are enrolled: {place.data['enrolments'][which]['plan']}.")]
        if self._courses[which]["full"]:
            return [text(f"{self._courses[which]['title']} is full; nobody can enrol.")]
        plans = radios("Plan", "plan", place.ui, PLANS)
        return [plans, button(self._words["enrol"], ("enrol", which), is_disabled="plan" not in place.ui)]

    def _content(self, place: Place, which: str) -> list[Element]:
        shown: list[Element] = []
        for module in modules_of(self._lessons, which):
            is_open = bool(place.ui.get(f"open {module}"))
            shown.append(button(module, ("module", module), expanded=is_open))
            theirs = [
                one
                for one, cells in self._lessons.items()
                if (cells["course"], cells["module"]) == (which, module) and is_open
            ]
            if theirs:
                items = [[link(str(self._lessons[one]["title"]), f"/lesson/{one}")] for one in theirs]
                shown.append(listing(f"Lessons of {module}", items))
        return shown

    def _exam(self, place: Place, which: str) -> list[Element]:
        ui, exams = place.ui, place.data["exams"]
        if which in exams:
            return [text(f"Your exam is on {exams[which]['day']} {MONTH} at {exams[which]['hour']}.")]
        if which not in place.data["enrolments"]:
            return [text("Only who is enrolled takes the exam.")]
        day, is_open = str(ui.get("day", "")), bool(ui.get("calendar"))
        shown = [button(f"Day: {day or 'choose one'}", ("calendar",), expanded=is_open)]
        if is_open:
            names = {one: f"{one} (full)" if one in self._full else one for one in DAYS}
            cells = [
                pressed("gridcell", name, ("day", one), selected=one == day, is_disabled=one in self._full)
                for one, name in names.items()
            ]
            weeks = [Element(role="row", children=tuple(cells[at : at + 7])) for at in range(0, len(cells), 7)]
            shown.append(part("grid", MONTH, *weeks))
        is_ready = bool(day) and "hour" in ui
        return [*shown, radios("Hour", "hour", ui, HOURS), button("Book", ("ask",), is_disabled=not is_ready)]

    def _reviews(self, place: Place, which: str) -> list[Element]:
        ui, reviews = place.ui, place.data["reviews"]
        told = [text("You have not reviewed this course.")]
        if which in reviews:
            told = [text(f"Your review: {reviews[which]['stars']} stars. {reviews[which]['words']}")]
        fields = [
            number(self._words["stars"], "stars", ui, 3, (1, 5, 1), "slider"),
            entry("Words", "words", ui, is_required=self.knobs.strict),
            box("Show my name", "named", ui),
        ]
        fields = self.draws("review").shuffled(fields) if self.knobs.shuffle else fields
        return [*told, form("Review", ("review", which), *fields, button(self._words["send"], ("review", which)))]

    def _lesson(self, place: Place, which: str) -> Page:
        cells = self._lessons[which]
        course, title = str(cells["course"]), str(cells["title"])
        told = [
            text(f"{cells['module']} of {self._courses[course]['title']}"),
            text(f"Takes {cells['minutes']} minutes."),
        ]
        if which in place.data["done"]:
            used: list[Element] = [status("You have done this lesson.")]
        elif course not in place.data["enrolments"]:
            used = [text("Only who is enrolled can do this lesson.")]
        else:
            used = [button(self._words["done"], ("done", which))]
        return Page(title, (heading(title, 1), *told, *used, link("Back to the course", f"/course/{course}")))

    def _mine(self, place: Place) -> Page:
        items = [
            [
                link(str(self._courses[one]["title"]), f"/course/{one}"),
                text(str(cells["plan"])),
                button(f"Leave {self._courses[one]['title']}", ("leaving", one)),
            ]
            for one, cells in place.data["enrolments"].items()
        ]
        listed = listing("My courses", items) if items else text("You are not enrolled.")
        asked = None
        if one := str(place.ui.get("leaving", "")):
            name = self._courses[one]["title"]
            asked = dialog(f"Leave {name}?", button("Leave", ("leave", one)), button("Stay", ("stay",)))
        return Page("My courses", (heading("My courses", 1), listed, link("All courses", "/")), asked)

    def called(self, table: str, row: str) -> str:
        return row if table == "done" else f'"{self._courses[row]["title"]}"'

    # -- commands ----------------------------------------------------------------------------------

    def do(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("close offer",):
                return place.noted(closed=True)
            case ("close survey",):
                return place.noted(asked=True)
            case ("open", which):
                return place.to(f"/course/{which}")
            case ("subject", subject):
                return place.to("/", subject=subject)
            case ("tab", tab):
                return place.entered(tab=tab)
            case ("module", module):
                return place.entered(**{f"open {module}": not ui.get(f"open {module}") or None})
            case ("calendar",):
                return place.entered(calendar=not ui.get("calendar") or None)
            case ("day", day):
                return place.entered(day=day, calendar=None)
            case ("ask",):
                return place.entered(asked=True)
            case ("not yet",):
                return place.entered(asked=None)
            case ("leaving", one):
                return place.entered(leaving=one)
            case ("stay",):
                return place.entered(leaving=None)
        return self._changed(place, command)

    def _changed(self, place: Place, command: Command) -> Place:
        ui = place.ui
        match command:
            case ("enrol", which):
                return place.put("enrolments", which, plan=str(ui["plan"])).to("/mine")
            case ("leave", which):
                return place.drop("enrolments", which).entered(leaving=None)
            case ("done", which):
                return place.put("done", which, done=True)
            case ("book", which):
                return place.put("exams", which, day=str(ui["day"]), hour=str(ui["hour"])).entered(asked=None)
            case ("review", which):
                return self._reviewed(place, which)
        raise ValueError(f"no such command: {command}")

    def _reviewed(self, place: Place, which: str) -> Place:
        ui = place.ui
        words = str(ui.get("words", "")).strip()
        if self.knobs.strict and not words:
            return place.entered(problem="A review needs words.")
        cells: dict[str, Json] = {"stars": int(ui.get("stars", 3)), "words": words, "named": bool(ui.get("named"))}
        return place.put("reviews", which, **cells).to("/mine")
