"""What a stand-in provider is about to do, for the rules of the clouds to look at."""

from typing import NamedTuple


class Operation(NamedTuple):
    """`kind` is create or update; `before` are an update's old inputs; `resources` is what there is by now, by URN; `deleted`
    are the (token, inputs) of what went."""

    kind: str
    token: str
    name: str
    inputs: dict
    before: dict
    resources: dict
    deleted: tuple | list = ()
