"""What parts of a query are worth, worked by hand."""

import pytest

from palestra.envs.sql.attacks import all_names
from palestra.envs.sql.generate import SqlTasks
from palestra.envs.sql.pay import (
    WEIGHTS,
    bigram_similarity,
    is_bare,
    linking,
    linking_recall,
    names,
    reasoning_sql,
    tokens,
)

TABLES = {"book": ["id", "title", "pages"], "author": ["id", "name", "country"]}
GOLD = "SELECT book.title FROM book WHERE book.pages > 100;"


def test_tokens_leave_out_comments_and_keep_texts_whole() -> None:
    assert tokens("SELECT a.B, 'It''s -- x' /* c ; */ FROM \"T\" -- end\nWHERE x>=1.5") == [
        *["select", "a", ".", "b", ",", "'It''s -- x'", "from", '"t"', "where", "x", ">=", "1.5"]
    ]
    assert tokens("'open") == ["'open"]
    assert tokens("/* open") == []
    assert tokens("\ud800 \x00 é") == ["\ud800", "\x00", "é"]


def test_names_are_those_of_the_schema_and_not_of_texts_or_comments() -> None:
    assert names(GOLD, TABLES) == {("table", "book"), ("column", "title"), ("column", "pages")}
    assert names("SELECT 'author' -- country\n, \"NAME\" FROM [Author]", TABLES) == {
        ("table", "author"),
        ("column", "name"),
    }


def test_linking_is_the_harmonic_mean_of_precision_and_recall() -> None:
    gold = names(GOLD, TABLES)
    found = names("SELECT title, country FROM book", TABLES)  # 2 of 3 found, 2 of 3 right
    assert linking(gold, found) == pytest.approx(2 / 3)
    assert linking(gold, frozenset()) == 0.0
    assert linking(gold, gold) == 1.0


def test_naming_everything_pays_by_recall_alone_and_not_with_precision() -> None:
    everything = names("SELECT book.id, title, pages, name, country FROM book, author", TABLES)
    gold = names(GOLD, TABLES)  # 3 of the 7 names there are
    assert linking_recall(gold, everything) == 1.0
    assert linking(gold, everything) == pytest.approx(2 * 3 / (3 + 7))


def test_on_generated_tasks_naming_everything_earns_all_of_recall_and_little_of_ours() -> None:
    earned = []
    for seed in range(6):
        task = SqlTasks().sample(seed)
        tables = task.public["tables"]
        gold, found = names(task.hidden["solution"], tables), names(all_names(task), tables)
        assert linking_recall(gold, found) == 1.0
        earned.append(linking(gold, found))
    assert max(earned) < 0.75
    assert sum(earned) / len(earned) < 0.6


def test_bigrams_are_compared_as_sets() -> None:
    # select-a a-from from-t beside select-b b-from from-t: one of five
    assert bigram_similarity("SELECT a FROM t", "select b FROM t") == pytest.approx(1 / 5)
    assert bigram_similarity(GOLD, GOLD.lower()) == 1.0
    assert bigram_similarity(GOLD, "") == 0.0
    assert bigram_similarity("a", "b") == 1.0  # neither has any


@pytest.mark.parametrize(
    ("sql", "bare"),
    [
        (GOLD, True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
        ("-- why\nSELECT 1", True),
        ("```sql\nSELECT 1\n```", False),
        ("The answer is SELECT 1", False),
        ("SELECT 1; SELECT 2", False),
        ("SELECT ';'", True),
        ("", False),
    ],
)
def test_a_query_is_bare(sql: str, bare: bool) -> None:
    assert is_bare(sql) is bare


def test_the_parts_are_the_papers_weights_over_their_sum() -> None:
    assert sum(WEIGHTS.values()) == 6.5
    right = reasoning_sql(GOLD, GOLD, TABLES, is_right=True, runs=True)
    assert right == pytest.approx(
        {"execution": 3 / 6.5, "syntax": 1 / 6.5, "schema": 1 / 6.5, "ngram": 1 / 6.5, "format": 0.5 / 6.5}
    )
    wrong = reasoning_sql(GOLD, "SELECT title, country FROM book", TABLES, is_right=False, runs=False)
    # gold has 13 tokens and so 12 bigrams, book-. twice; the other has 5, of which from-book is in both: 1 of 15
    assert wrong == pytest.approx(
        {"execution": 0.0, "syntax": 0.0, "schema": 2 / 3 / 6.5, "ngram": 1 / 15 / 6.5, "format": 0.5 / 6.5}
    )


def test_a_wrong_query_always_earns_less_than_a_right_one() -> None:
    best_wrong = reasoning_sql(GOLD, GOLD, TABLES, is_right=False, runs=True)
    worst_right = reasoning_sql(GOLD, "```", TABLES, is_right=True, runs=True)
    assert sum(best_wrong.values()) == pytest.approx(3.5 / 6.5)
    assert sum(worst_right.values()) == pytest.approx(4 / 6.5)
