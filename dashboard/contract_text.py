"""A contract in words: what it promises, to whom, what the data looks like; and the file as it was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html

from dashboard.desk import plain
from dashboard.page import Part
from lineage.contracts.model import Column, Contract, Rule, Sla, read_contract
from lineage.errors import MeshlineError

_SLAS = {
    "latency": "Data is never older than {v}.", "freshness": "Data is never older than {v}.",
    "frequency": "New data comes at least every {v}.", "retention": "Data is kept for {v}.",
    "availability": "It can be read {v} of the time.", "endofsupport": "Support ends on {v}.",
    "endoflife": "It is taken away on {v}.", "generalavailability": "It is for everybody since {v}.",
}  # fmt: skip
_METRICS = {"duplicatevalues": "duplicates", "nullvalues": "empty values", "missingvalues": "missing values",
            "invalidvalues": "values that are not allowed", "rowcount": "rows"}  # fmt: skip
_OPERATORS = {"mustbe": "must be", "mustnotbe": "must not be", "mustbegreaterthan": "must be more than",
              "mustbegreaterorequalto": "must be at least", "mustbelessthan": "must be less than",
              "mustbelessorequalto": "must be at most", "mustbebetween": "must lie between"}  # fmt: skip


def parsed(text: str) -> Contract:
    """The contract of a text that was accepted before.

    Raises
    ------
    MeshlineError
        when it is none after all.
    """
    import yaml

    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise MeshlineError(f"This version of the contract cannot be read: {error}") from None
    if not isinstance(value, Mapping):
        raise MeshlineError("This version of the contract is no mapping.")
    return read_contract(value)


def sla_words(one: Sla) -> str:
    """A promise of service as a sentence.

    >>> sla_words(Sla("latency", 48, "h", "", ""))
    'Data is never older than 48 hours.'
    """
    unit = {"h": "hours", "d": "days", "m": "minutes", "y": "years", "w": "weeks"}.get(one.unit, one.unit)
    value = f"{one.value} {unit.removesuffix('s') if str(one.value) == '1' else unit}".strip()
    known = _SLAS.get(one.name.lower())
    return known.format(v=value) if known else f"{one.name}: {value}"


def rule_words(one: Rule) -> str:
    """A rule of quality as a sentence."""
    metric = _METRICS.get(one.metric.lower(), one.metric)
    if metric and one.operator:
        how = _OPERATORS.get(one.operator.lower(), one.operator)
        return f"{metric} {how} {one.value}{f' {one.unit}' if one.unit else ''}"
    return one.name or one.body or one.type


def _column(one: Column) -> Sequence[Part]:
    marks = [
        *(["key"] if one.key else []), *(["never empty"] if one.required else []), *(["unique"] if one.unique else []),
        *(["critical"] if one.critical else []), *(["deprecated"] if one.deprecated else []), *one.pii,
        *([one.classification] if one.classification else []),
    ]  # fmt: skip
    pills = [html.Span(mark, className=f"pill {'warn' if mark in ('deprecated', *one.pii) else ''}") for mark in marks]
    return (html.Span(one.path, className="mono"), html.Span(one.type or "any", className="mono muted"), pills,
            one.description or "")  # fmt: skip


def human(found: Contract) -> list[Part]:
    """The contract for people."""
    parts: list[Part] = []
    for words, text in (("What it is for", found.purpose), ("How to use it", found.usage),
                        ("What it is not for", found.limitations)):  # fmt: skip
        if text:
            parts += [html.H3(words), html.P(text)]
    if found.slas:
        parts += [html.H3("What is promised"), html.Ul([html.Li(sla_words(s)) for s in found.slas], className="says")]
    for thing in found.things:
        parts.append(html.H3([thing.name, html.Span(f" {thing.physical_name}", className="muted mono small")]))
        if thing.description:
            parts.append(html.P(thing.description))
        heads = (("Column", False), ("Type", False), ("Promised", False), ("Description", False))
        parts.append(plain(heads, [_column(one) for one in thing.columns], f"Columns of {thing.name}"))
        rules = [html.Li([html.B(f"{r.column}: " if r.column else ""), rule_words(r)]) for r in thing.rules]
        if rules:
            parts += [html.H3("Rules of quality"), html.Ul(rules, className="says")]
    if found.roles:
        roles = [html.Li(f"{role}: {access or 'access'}") for role, access in found.roles.items()]
        parts += [html.H3("Who may"), html.Ul(roles, className="says")]
    if found.team:
        parts += [html.H3("Who keeps it"), html.P(", ".join(found.team))]
    return parts or [html.P("This contract says nothing but its name.")]


def yaml_of(text: str) -> Part:
    """The file as it was written, folded."""
    return html.Details([html.Summary("As it was written (YAML)"), html.Pre(text, className="mono yaml", tabIndex=0)],
                        className="finding")  # fmt: skip
