"""Recipes: what they may say, what they extend, and what their digest tells apart."""

from pathlib import Path

import pytest

from palestra.sandbox.images.recipe import RecipeError, UnknownImageError, find_recipe, known_recipes, load_recipe


def write(folder: Path, text: str, name: str = "mine") -> Path:
    file = folder / f"{name}.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_every_family_has_a_recipe() -> None:
    assert known_recipes() == ["base", "cad", "code", "terminal", "web"]
    for name in known_recipes():
        recipe = find_recipe(name)
        assert recipe.summary
        assert {"bash", "python3"} <= set(recipe.packages)
        assert recipe.files["/etc/hostname"] == "sandbox\n"


def test_what_it_extends_is_merged_in(tmp_path: Path) -> None:
    text = 'extends = "base"\npackages = ["jq"]\n[files]\n"/etc/hostname" = "other"\n"/etc/motd" = "hi"\n'
    recipe, base = load_recipe(write(tmp_path, text)), find_recipe("base")
    assert recipe.packages == (*base.packages, "jq")
    assert (recipe.suite, recipe.variant) == (base.suite, base.variant)
    assert recipe.files == {**base.files, "/etc/hostname": "other", "/etc/motd": "hi"}


def test_the_digest_tells_contents_apart_and_nothing_else(tmp_path: Path) -> None:
    def digest(text: str, name: str = "mine") -> str:
        return load_recipe(write(tmp_path, text, name)).digest

    plain = digest('packages = ["jq", "less"]')
    assert plain == digest('summary = "other words"\npackages = ["less", "jq", "less"]')
    suite, link = 'packages = ["jq", "less"]\nsuite = "trixie"', 'packages = ["jq", "less"]\n[links]\n"/a" = "b"'
    others = ['packages = ["jq"]', suite, link]
    assert len({plain, digest('packages = ["jq", "less"]', "yours"), *map(digest, others)}) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("packages = [", "mine.toml"),
        ("package = []", "unknown field 'package'; known: summary"),
        ('packages = "jq"', "packages must be a list, not 'jq'"),
        ('packages = ["-oDir=/"]', "'-oDir=/', which is no Debian package"),
        ("packages = [1]", "packages holds 1"),
        ('suite = "../etc"', "suite must name a Debian release"),
        ('variant = "huge"', "variant must be one of extract, essential, apt, not 'huge'"),
        ('[files]\n"relative" = ""', "'relative' must be an absolute path"),
        ('[files]\n"/a/../../etc/passwd" = ""', "without '..'"),
        ('[files]\n"/a/" = ""', "absolute path of a file"),
        ('[links]\n"/a" = 1', "'/a' must be text, not 1"),
        ('[files]\n"/a" = ""\n[links]\n"/a" = "b"', "'/a' is among the files and among the links"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name_and_value(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(RecipeError) as refused:
        load_recipe(write(tmp_path, text))
    assert told in str(refused.value)
    assert "mine.toml" in str(refused.value)


def test_a_missing_or_misnamed_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(RecipeError, match="small letters"):
        load_recipe(write(tmp_path, "", "Mine!"))


def test_an_unknown_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownImageError, match="did you mean 'terminal'"):
        find_recipe("terminl")
