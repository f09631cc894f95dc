"""What Azure refuses although its provider's schema allows it: each rule with the document or report that says so."""

from tests.engine import names


def refused(operation) -> str | None:
    """The cloud's own words when it would refuse this operation."""
    return names.wrong(operation.token, operation.inputs, names.AZURE)
