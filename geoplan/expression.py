"""A small, closed expression language over columns, for packs, rules and indicators.

``capacity_mw * 1.1``, ``population >= 50000 and class in ['a', 'b']``,
``where(isnull(voltage), 60, voltage / 1000)``. Nothing else can be written: no attributes, no
calls but the functions below, no names but the columns, so a data file cannot run code.
"""

from __future__ import annotations

import ast
import keyword
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from geoplan.errors import InputError, RangeError, UnknownName

__all__ = ["FUNCTIONS", "columns_of", "evaluate", "select"]

_MAX_LENGTH = 2_000
_MAX_NODES = 400

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _number(value: Any) -> Any:
    if isinstance(value, pd.Series):
        return pd.to_numeric(value, errors="coerce")
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _where(condition: Any, yes: Any, no: Any) -> Any:
    index = next((v.index for v in (condition, yes, no) if isinstance(v, pd.Series)), None)
    result = np.where(np.asarray(condition, dtype=bool), yes, no)
    return pd.Series(result, index=index) if index is not None else result[()]


def _pick(which: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def pick(first: Any, *rest: Any) -> Any:
        for other in rest:
            first = which(first, other)
        return first

    return pick


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "where": _where,
    "isnull": pd.isna,
    "number": _number,
    "min": _pick(np.fmin),
    "max": _pick(np.fmax),
    "abs": abs,
    "round": lambda x, n=0: np.round(x, int(n)),
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "first_of": lambda text, sep: text.astype("string").str.split(sep, regex=False).str[0],
    "contains": lambda text, part: text.astype("string").str.contains(part, regex=False, na=False),
    "startswith": lambda text, part: text.astype("string").str.startswith(part, na=False),
}
"""Functions of the language. ``first_of(text, ';')`` is the part before the separator."""


_OWN_WORDS = ("and", "or", "not", "in", "is", "True", "False", "None")
_FOREIGN = re.compile(
    r"'[^']*'|\"[^\"]*\"|\b(" + "|".join(k for k in keyword.kwlist if k not in _OWN_WORDS) + r")\b"
)
_MARK = "__column"


def _parse(text: str) -> ast.Expression:
    if len(text) > _MAX_LENGTH:
        raise RangeError(f"an expression of {len(text)} characters; the limit is {_MAX_LENGTH}")
    # Columns are often called 'class' or 'from'; those words mean nothing else in this language.
    marked = _FOREIGN.sub(lambda m: m[1] + _MARK if m[1] else m[0], text.strip())
    try:
        tree = ast.parse(marked, mode="eval")
    except (SyntaxError, ValueError, RecursionError) as error:
        raise InputError(
            f"cannot read the expression {text!r}",
            remedy="use columns, numbers, 'text', + - * / %, comparisons, and/or/not, "
            f"in [...], and {', '.join(FUNCTIONS)}",
        ) from error
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = node.id.removesuffix(_MARK)
    if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
        raise RangeError(f"the expression {text[:60]!r}… has more than {_MAX_NODES} parts")
    return tree


def columns_of(text: str) -> tuple[str, ...]:
    """Return the column names that an expression uses, sorted."""
    tree = _parse(text)
    called = {
        n.func.id
        for n in ast.walk(tree)
        if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)
    }
    names = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
    return tuple(sorted(names - called))


def evaluate(text: str, columns: Mapping[str, Any]) -> Any:
    """Evaluate an expression.

    Parameters
    ----------
    text : str
        The expression.
    columns : mapping of str to Series (or scalar)
        The names it may use; a DataFrame will do.

    Returns
    -------
    Series or scalar
        Missing inputs give missing results in arithmetic, and False in comparisons.

    Raises
    ------
    UnknownName
        A name is not a column.
    InputError
        The expression uses something outside the language.

    Examples
    --------
    >>> evaluate("a * 2 + 1", {"a": 3})
    7
    """

    def run(node: ast.AST) -> Any:
        match node:
            case ast.Expression(body=body):
                return run(body)
            case ast.Constant(value=value) if isinstance(value, (int, float, str, bool)):
                return value
            case ast.Name(id=name):
                if name not in columns:
                    known = ", ".join(sorted(map(str, columns)))
                    raise UnknownName(
                        f"unknown column '{name}' in {text!r}", remedy=f"known columns: {known}"
                    )
                return columns[name]
            case ast.UnaryOp(op=ast.USub(), operand=x):
                return -run(x)
            case ast.UnaryOp(op=ast.Not(), operand=x):
                value = run(x)
                return ~value.astype(bool) if isinstance(value, pd.Series) else not value
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                return _BINARY[type(op)](run(left), run(right))
            case ast.BoolOp(op=op, values=values):
                result = run(values[0])
                for part in values[1:]:
                    other = run(part)
                    if isinstance(op, ast.And):
                        result = result & other
                    else:
                        result = result | other
                return result
            case ast.Compare(left=left, ops=[ast.In()], comparators=[ast.List(elts=items)]):
                value, allowed = run(left), [run(i) for i in items]
                return value.isin(allowed) if isinstance(value, pd.Series) else value in allowed
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _COMPARE:
                found = _COMPARE[type(op)](run(left), run(right))
                return found.fillna(False).astype(bool) if isinstance(found, pd.Series) else found
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*[run(a) for a in args])
            case _:
                raise InputError(
                    f"'{ast.unparse(node)}' is not allowed in the expression {text!r}",
                    remedy="use columns, numbers, 'text', + - * / %, comparisons, and/or/not, "
                    f"in [...], and {', '.join(FUNCTIONS)}",
                )

    try:
        return run(_parse(text))
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the expression {text!r} does not fit its columns: {error}",
            remedy="check that numbers are compared with numbers and text with text",
        ) from error


def select(text: str, frame: pd.DataFrame) -> pd.Series:
    """Return a boolean Series, True where the expression holds for a row of ``frame``."""
    result = evaluate(text, {str(c): frame[c] for c in frame.columns})
    if isinstance(result, pd.Series):
        return result.fillna(False).astype(bool)
    return pd.Series(bool(result), index=frame.index)
