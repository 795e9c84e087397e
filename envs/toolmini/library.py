"""The library: books by author, and the members who hold them."""

import random

from palestra.envs.toolmini.domain import Domain, Template
from palestra.envs.toolmini.facts import OF_PEOPLE, OF_THINGS, draw, lookups
from palestra.envs.toolmini.pools import Pools, fresh, ids, pairs, people
from palestra.envs.toolmini.tables import Record, Schema, Tables, Tool

SCHEMA = Schema(
    tools=(
        Tool(
            name="find_member",
            description="Find members by name.",
            kind="find",
            table="members",
            field="name",
            shows=("name", "*"),
        ),
        Tool(
            name="list_books",
            description="List an author's books.",
            kind="find",
            table="books",
            field="author",
            shows=("title", "year"),
        ),
        Tool(
            name="get_book",
            description="Show one book.",
            kind="get",
            table="books",
            shows=("title", "shelf", "holder.name", "*"),
        ),
        Tool(
            name="move_book",
            description="Put a book on another shelf.",
            kind="set",
            table="books",
            field="shelf",
        ),
        Tool(
            name="lend_book",
            description="Lend a book to a member.",
            kind="set",
            table="books",
            field="holder",
        ),
    ),
    nouns={"members": "member", "books": "book"},
    refs={"holder": "members"},
    facts={"members": OF_PEOPLE, "books": OF_THINGS},
)


def fill(rng: random.Random, pools: Pools, records: int, namesakes: int) -> Tables:
    """Return members and authors with their books, `records` each on average."""
    names = people(rng, pools, 2 * (records + 1), namesakes)
    rng.shuffle(names)
    authors, member_names = names[: records + 1], names[records + 1 :]
    members: dict[str, Record] = {
        id_: {"name": name, **draw(rng, pools, OF_PEOPLE)}
        for id_, name in zip(ids(rng, "m", records + 1), member_names, strict=True)
    }
    sizes = [rng.randint(1, 2 * records - 1) for _ in authors]
    book_ids, holders = iter(ids(rng, "b", sum(sizes))), list(members)
    books: dict[str, Record] = {}
    for author, size in zip(authors, sizes, strict=True):
        titles, years = pairs(rng, pools, "title_a", "title_b", size), rng.sample(range(1900, 2000), size)
        for title, year in zip(titles, years, strict=True):
            books[next(book_ids)] = {
                "author": author,
                "title": title,
                "year": year,
                "shelf": fresh(rng, pools, "shelf"),
                "holder": rng.choice(holders),
                **draw(rng, pools, OF_THINGS),
            }
    return {"members": members, "books": books}


_BY_BOOK = ("get_book", "id")
_TO_BOOKS = (("list_books", "author"),)

DOMAIN = Domain(
    name="library",
    schema=SCHEMA,
    fill=fill,
    templates=(
        *lookups("members", "member", ("find_member", "name"), OF_PEOPLE, first=1),
        *lookups("books", "book", _BY_BOOK, OF_THINGS, first=1),
        Template(
            name="book_shelf",
            split="train",
            table="books",
            texts=("On which shelf is book {id}?", "What is the shelf of book {id}?", "Find the shelf of book {id}."),
            calls=(_BY_BOOK,),
            answer="shelf",
        ),
        Template(
            name="title_year",
            split="train",
            table="books",
            texts=(
                "In which year did {author} write {title}?",
                "What is the year of {title} by {author}?",
                "{author} wrote {title}. In which year?",
            ),
            calls=_TO_BOOKS,
            answer="year",
        ),
        Template(
            name="newest_title",
            split="train",
            table="books",
            texts=(
                "What is the title of the newest book by {author}?",
                "Which book by {author} is the newest?",
                "Name the latest book of {author}.",
            ),
            calls=_TO_BOOKS,
            answer="title",
            group="author",
            top="year",
        ),
        Template(
            name="book_count",
            split="train",
            table="books",
            texts=(
                "How many books by {author} are there?",
                "Count the books of {author}.",
                "What is the number of books by {author}?",
            ),
            calls=_TO_BOOKS,
            answer="count",
            group="author",
        ),
        Template(
            name="move_id",
            split="train",
            table="books",
            texts=("Move book {id} to shelf {new}.", "Put book {id} on shelf {new}.", "Book {id} goes to shelf {new}."),
            calls=(("move_book", "id", "new"),),
            answer="done",
            new="shelf",
        ),
        Template(
            name="title_shelf",
            split="train",
            table="books",
            texts=(
                "On which shelf is {title} by {author}?",
                "Find the shelf of {title}, a book by {author}.",
                "{author} wrote {title}. On which shelf is it?",
            ),
            calls=(*_TO_BOOKS, _BY_BOOK),
            answer="shelf",
        ),
        Template(
            name="holder_town",
            split="train",
            table="books",
            texts=(
                "In which town does the holder of book {id} live?",
                "Find the town of the member who has book {id}.",
                "Book {id}: what is the town of its holder?",
            ),
            calls=(_BY_BOOK, ("find_member", "holder.name")),
            answer="holder.town",
        ),
        Template(
            name="move_title",
            split="train",
            table="books",
            texts=(
                "Move {title} by {author} to shelf {new}.",
                "Put {title}, a book by {author}, on shelf {new}.",
                "{author} wrote {title}. Put it on shelf {new}.",
            ),
            calls=(*_TO_BOOKS, ("move_book", "id", "new")),
            answer="done",
            new="shelf",
        ),
        Template(
            name="lend_title",
            split="train",
            table="books",
            texts=(
                "Lend {title} by {author} to {new.name}.",
                "{new.name} wants to borrow {title} by {author}. Lend it.",
                "Please lend the book {title}, by {author}, to member {new.name}.",
            ),
            calls=(*_TO_BOOKS, ("find_member", "new.name"), ("lend_book", "id", "new")),
            answer="done",
            new="holder",
        ),
        Template(
            name="book_holder",
            split="heldout",
            table="books",
            texts=("Who has book {id} now? Give the name.", "Tell me the name of the member holding book {id}."),
            calls=(_BY_BOOK,),
            answer="holder.name",
        ),
        Template(
            name="newest_shelf",
            split="heldout",
            table="books",
            texts=(
                "Tell me the shelf where the newest book by {author} stands.",
                "Where is the latest book that {author} wrote? Give the shelf.",
            ),
            calls=(*_TO_BOOKS, _BY_BOOK),
            answer="shelf",
            group="author",
            top="year",
        ),
        Template(
            name="move_newest",
            split="heldout",
            table="books",
            texts=(
                "The newest book by {author} belongs on shelf {new}. Move it.",
                "Take the latest book that {author} wrote and put it on shelf {new}.",
            ),
            calls=(*_TO_BOOKS, ("move_book", "id", "new")),
            answer="done",
            group="author",
            top="year",
            new="shelf",
        ),
        Template(
            name="title_holder_town",
            split="heldout",
            table="books",
            texts=(
                "Someone has {title} by {author}. In which town does that member live?",
                "Tell me the town of whoever holds {title}, written by {author}.",
            ),
            calls=(*_TO_BOOKS, _BY_BOOK, ("find_member", "holder.name")),
            answer="holder.town",
        ),
        Template(
            name="lend_newest",
            split="heldout",
            table="books",
            texts=(
                "Give {new.name} the newest book by {author} on loan.",
                "{new.name} would like the latest book that {author} wrote. Lend it.",
            ),
            calls=(*_TO_BOOKS, ("find_member", "new.name"), ("lend_book", "id", "new")),
            answer="done",
            group="author",
            top="year",
            new="holder",
        ),
    ),
)
