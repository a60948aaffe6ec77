"""What the page's form says of a scenario."""

from gridbazaar.scenarios.view.form import noted


def test_of_many_notes_the_first_are_told_and_the_others_counted() -> None:
    assert noted([]) == ""
    assert noted(["a is odd", "b is odd"]) == "note: a is odd; note: b is odd"
    many = [f"{name} is odd" for name in "abcde"]
    assert noted(many) == "note: a is odd; note: b is odd; note: c is odd; and 2 more, told by gridbazaar validate"
