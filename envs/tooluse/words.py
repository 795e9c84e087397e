"""Words that several domains draw from: people and places. The two splits share none."""

from collections.abc import Mapping

from palestra.envs.base import Split


def words(text: str) -> tuple[str, ...]:
    """Return the words of a text; an underscore stands for a space within one."""
    return tuple(word.replace("_", " ") for word in text.split())


PEOPLE: Mapping[Split, dict[str, tuple[str, ...]]] = {
    "train": {
        "first": words(
            "Ana Ben Carla David Emma Frank Grace Henry Iris Jack Karen Leo Maria Nina Oscar Paul Rosa Sam Tina Victor "
            "Wendy Yusuf Zoe Amir Bianca Cedric Dora Elif Fabio Gina"
        ),
        "last": words(
            "Adams Baker Clark Davis Evans Fisher Green Hill Ibarra Jones King Lopez Miller Nelson Ortiz Parker Quinn "
            "Reed Scott Turner Usman Varga Walker Young Zhang Bauer Costa Dubois Eriksen Fontana"
        ),
        "host": words("mail.com home.net post.org inbox.dev"),
        "city": words(
            "Paris London Rome Madrid Berlin Vienna Oslo Dublin Boston Chicago Dallas Denver Miami Seattle Lyon Porto "
            "Hamburg Leeds Turin Bilbao"
        ),
        "street": words(
            "Oak_Street Mill_Lane Station_Road Church_Street Park_Avenue River_Road High_Street King_Street"
        ),
    },
    "heldout": {
        "first": words(
            "Adam Bella Clara Daniel Elena Felix Hugo Irene Jonas Kate Laura Martin Olga Peter Ruth Simon Tara Ulrich "
            "Vera Wanda Xavier Yara Anton Britta Clemens Dina Emil Freya Goran Hana"
        ),
        "last": words(
            "Allen Brown Carter Cook Ellis Foster Gray Harris Jackson Kelly Lewis Morgan Novak Olsen Perry Rogers "
            "Silva Tanaka Underwood Vega Ward Xu Yilmaz Zimmer Abbott Becker Conti Duarte Eklund Ferrari"
        ),
        "host": words("web.io letter.eu mailer.info parcel.co"),
        "city": words(
            "Lisbon Prague Athens Milan Munich Geneva Cairo Delhi Tokyo Sydney Houston Phoenix Ghent Malmo Krakow "
            "Seville Zagreb Bergen Nantes Basel"
        ),
        "street": words(
            "Elm_Drive Harbour_Walk Chapel_Row Bridge_Terrace Queens_Crescent Forest_Way Market_Square Chestnut_Rise"
        ),
    },
}
