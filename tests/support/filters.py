"""The filter language as a plain reference in Python, and random metadata and filters for it."""

import random
from typing import Any

Metadata = dict[str, Any]

KEYS = ["a", "b", "c", "number", "größe.x"]
TEXTS = ["", "x", "xy", "xyz", "1", "é", 'q"\\']
NUMBERS = [-1, 0, 0.5, 1, 2, 1e10, 2**53, 0.1]


# --- the reference


def same(left: Any, right: Any) -> bool:
    """Equal, and of one type: True is no 1."""
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def satisfies(operator: str, operand: Any, metadata: Metadata, key: str) -> bool:
    if operator == "$exists":
        return (key in metadata) == operand
    if operator == "$ne":
        return not satisfies("$eq", operand, metadata, key)
    if operator == "$nin":
        return not satisfies("$in", operand, metadata, key)
    if key not in metadata:
        return False
    value = metadata[key]
    for element in value if isinstance(value, list) else [value]:
        match operator:
            case "$eq":
                holds = same(element, operand)
            case "$in":
                holds = any(same(element, one) for one in operand)
            case "$startsWith":
                holds = isinstance(element, str) and element.startswith(operand)
            case "$gt":
                holds = is_number(element) and element > operand
            case "$gte":
                holds = is_number(element) and element >= operand
            case "$lt":
                holds = is_number(element) and element < operand
            case "$lte":
                holds = is_number(element) and element <= operand
            case _:
                raise ValueError(operator)
        if holds:
            return True
    return False


def lets_through(wanted: dict[str, Any], metadata: Metadata) -> bool:
    for key, condition in wanted.items():
        if key == "$and":
            holds = all(lets_through(one, metadata) for one in condition)
        elif key == "$or":
            holds = any(lets_through(one, metadata) for one in condition)
        elif isinstance(condition, dict):
            holds = all(satisfies(op, value, metadata, key) for op, value in condition.items())
        else:
            holds = satisfies("$eq", condition, metadata, key)
        if not holds:
            return False
    return True


# --- random metadata and filters


class Maker:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def scalar(self) -> Any:
        return self.random.choice([*TEXTS, *NUMBERS, True, False])

    def value(self) -> Any:
        kind = self.random.random()
        if kind < 0.6:
            return self.scalar()
        return self.random.choices(TEXTS if kind < 0.8 else NUMBERS, k=self.random.randint(1, 4))

    def metadata(self) -> Metadata:
        keys = self.random.sample(KEYS, self.random.randint(0, len(KEYS)))
        # The index does not filter by "note", which must not disturb the rest.
        return {key: self.value() for key in keys} | {"note": "x" * self.random.randint(0, 3000)}

    def condition(self, prefixes: bool) -> Any:
        operators = ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin", "$exists"]
        operator = self.random.choice([*operators, "$startsWith"] if prefixes else operators)
        if operator in ("$in", "$nin"):
            return {operator: [self.scalar() for _ in range(self.random.randint(1, 4))]}
        if operator == "$exists":
            return {operator: self.random.random() < 0.5}
        if operator == "$startsWith":
            return {operator: self.random.choice(TEXTS)}
        if operator in ("$eq", "$ne"):
            return {operator: self.scalar()}
        return {operator: self.random.choice(NUMBERS)}

    def filter(self, depth: int = 0, prefixes: bool = True) -> dict[str, Any]:
        wanted: dict[str, Any] = {}
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            kind = self.random.random()
            key = self.random.choice([*KEYS, "absent"])
            if kind < 0.35 and depth < 3:
                children = range(self.random.randint(1, 3))
                wanted[self.random.choice(["$and", "$or"])] = [
                    self.filter(depth + 1, prefixes) for _ in children
                ]
            elif kind < 0.5:
                wanted[key] = self.scalar()
            else:
                conditions = [self.condition(prefixes) for _ in range(self.random.randint(1, 2))]
                wanted[key] = {op: value for one in conditions for op, value in one.items()}
        return wanted
