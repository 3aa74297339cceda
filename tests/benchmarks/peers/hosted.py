"""Peers that are called from Python: CLIPS, GoRules ZEN, durable_rules, Drools by its bridge.

Each takes its cheapest form of input. A line is decoded by the typed decoder of the floor where the
peer wants values, and given as it is where the peer wants text.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from .engines import Engine, Missing, Task
from .floors import typed_decoder
from .workload import TIMES, Counted, Followed, Rule, Threshold

_BATCH: Final = 100


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise Missing(package) from None


class _Valued(Engine):
    """A peer that takes values: it reads them off a decoded line, or they were made ready."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._by_address = task.workload == "w1p"
        self._decode = typed_decoder(task.workload)
        self._heard: list[str] = []

    def ready(self, line: bytes) -> Any:
        return line if self._task.form == "line" else self._decode(line)

    def _deciding(self, post: Callable[[Any], object]) -> Callable[[Any], Any]:
        """``decide`` for a peer that calls back for each rule that fires."""
        heard = self._heard
        decode = self._decode if self._task.form == "line" else lambda event: event

        def decide(given: Any) -> list[str] | None:
            post(decode(given))
            if not heard:
                return None
            answer = heard.copy()
            heard.clear()
            return answer

        return decide


class Clips(_Valued):
    """CLIPS through clipspy. One deffunction asserts, runs and retracts: the fast way in.

    W2 is stated with facts that hold what each rule remembers of a visit.
    """

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.version = f"{_installed('clipspy')} (CLIPS 6.4)"
        import clips

        self._symbol = clips.Symbol
        self._clips = clips.Environment()
        self._clips.define_function(self._heard.append, name="emit")
        build = _clips_stateful if task.workload == "w2" else _clips_stateless
        for construct in build(task.rules, self._by_address):
            self._clips.build(construct)
        self.begin()

    def begin(self) -> None:
        self._clips.reset()
        call, symbol = self._clips.call, self._symbol
        number = 0

        def stateful(event: Any) -> None:
            nonlocal number
            number += 1
            name, category = symbol(event.eventName), symbol(event.category)
            call("post", name, category, event.visitID, event.timestamp, number)

        def stateless(event: Any) -> None:
            total = event.data.cartTotal
            call("post", symbol(event.eventName), symbol(event.category), event.visitID, total)

        def by_address(event: Any) -> None:
            call("post", symbol(event.eventName), event.url, event.visitID, event.data.cartTotal)

        chosen = by_address if self._by_address else stateless
        self.decide = self._deciding(stateful if self._task.workload == "w2" else chosen)


def _clips_stateless(rules: Sequence[Rule], by_address: bool) -> Iterable[str]:
    yield "(deftemplate ev (slot name) (slot place) (slot visit) (slot total (type FLOAT)))"
    for rule in rules:
        assert isinstance(rule, Threshold)
        begins = f'?u&:(eq 1 (str-index "{rule.prefix}" ?u))'
        yield f"""
        (defrule {rule.id}
          (ev (name {rule.event}) (place {begins if by_address else rule.category})
              (total ?t&:(>= ?t {rule.at_least:f})))
          => (emit {rule.id}))"""
    yield """
    (deffunction post (?n ?p ?v ?t)
      (bind ?f (assert (ev (name ?n) (place ?p) (visit ?v) (total ?t)))) (run) (retract ?f))"""


def _clips_stateful(rules: Sequence[Rule], by_address: bool) -> Iterable[str]:
    yield "(deftemplate ev (slot name) (slot place) (slot visit) (slot at) (slot n))"
    yield "(deftemplate kept (slot rule) (slot visit) (slot n) (multislot at))"
    for rule in rules:
        match rule:
            case Counted():
                yield from _clips_counted(rule)
            case Followed():
                yield from _clips_followed(rule)
    yield """
    (deffunction post (?e ?p ?v ?t ?n)
      (bind ?f (assert (ev (name ?e) (place ?p) (visit ?v) (at ?t) (n ?n)))) (run) (retract ?f))"""


def _clips_counted(rule: Counted) -> Iterable[str]:
    event = f"(ev (name {rule.event}) (place {rule.category}) (visit ?v) (at ?t) (n ?n))"
    kept = f"(rule {rule.id}) (visit ?v)"
    yield f"""
    (defrule {rule.id}-first {event} (not (kept {kept}))
      => (assert (kept {kept} (n ?n) (at ?t))))"""
    yield f"""
    (defrule {rule.id}-again {event} ?k <- (kept {kept} (n ?m&:(< ?m ?n)) (at $?old))
      => (bind ?young (create$))
         (progn$ (?a ?old)
           (if (< (- ?t ?a) {rule.within}) then (bind ?young (create$ ?young ?a))))
         (bind ?young (create$ ?young ?t))
         (retract ?k)
         (if (>= (length$ ?young) {TIMES})
           then (emit {rule.id}) (assert (kept {kept} (n ?n) (at)))
           else (assert (kept {kept} (n ?n) (at ?young)))))"""


def _clips_followed(rule: Followed) -> Iterable[str]:
    kept = f"(rule {rule.id}) (visit ?v)"
    place = f"(place {rule.category}) (visit ?v)"
    yield f"""
    (defrule {rule.id}-first (ev (name {rule.first}) {place} (at ?t) (n ?n))
      => (assert (kept {kept} (n ?n) (at ?t))))"""
    yield f"""
    (defrule {rule.id}-newer ?k <- (kept {kept} (n ?m)) (kept {kept} (n ?n&:(> ?n ?m)))
      => (retract ?k))"""
    yield f"""
    (defrule {rule.id}-then (ev (name {rule.then}) {place} (at ?t)) ?k <- (kept {kept} (at ?a))
      => (retract ?k)
         (if (< (- ?t ?a) {rule.within}) then (emit {rule.id})))"""


class Zen(Engine):
    """GoRules ZEN: one decision table, all rows that hit, a hundred events a call."""

    def __init__(self, task: Task) -> None:
        self.version = _installed("zen-engine")
        import zen

        self._line = task.form == "line"
        table = _zen_table(task.rules, task.workload == "w1p")
        content = {"loader": {"type": "static", "content": {"t": table}}}
        self._evaluate = zen.ZenEngine(content).evaluate_batch
        import msgspec

        self._decode = msgspec.json.Decoder().decode

    def begin(self) -> None:
        """Nothing is remembered."""

    def ready(self, line: bytes) -> Any:
        return line if self._line else json.loads(line)

    def _rows(self, given: Sequence[Any]) -> Iterable[list[dict[str, str]]]:
        for begin in range(0, len(given), _BATCH):
            batch = given[begin : begin + _BATCH]
            if self._line:
                decode = self._decode
                batch = [decode(line) for line in batch]
            for found in self._evaluate([{"key": "t", "context": event} for event in batch]):
                yield found["data"]["result"]

    def decide_all(self, given: Sequence[Any]) -> int:
        return sum(1 for rows in self._rows(given) if rows)

    def told(self, given: Sequence[Any]) -> list[list[str]]:
        return [sorted(row["rule"] for row in rows) for rows in self._rows(given)]


def _zen_table(rules: Sequence[Rule], by_address: bool) -> dict[str, Any]:
    rows = []
    for rule in rules:
        assert isinstance(rule, Threshold)
        place = f'startsWith(url, "{rule.prefix}")' if by_address else f'"{rule.category}"'
        row = {"_id": rule.id, "a": f'"{rule.event}"', "b": place}
        rows.append(row | {"c": f">= {rule.at_least!r}", "o": f'"{rule.id}"'})
    place = {"id": "b", "name": "place"}
    content = {
        "hitPolicy": "collect",
        "inputs": [
            {"id": "a", "name": "event", "field": "eventName"},
            place if by_address else place | {"field": "category"},
            {"id": "c", "name": "total", "field": "data.cartTotal"},
        ],
        "outputs": [{"id": "o", "name": "rule", "field": "rule"}],
        "rules": rows,
    }
    nowhere = {"position": {"x": 0, "y": 0}}
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", **nowhere},
            {"id": "t", "name": "t", "type": "decisionTableNode", "content": content, **nowhere},
            {"id": "out", "name": "out", "type": "outputNode", **nowhere},
        ],
        "edges": [
            {"id": "e1", "sourceId": "in", "targetId": "t", "type": "edge"},
            {"id": "e2", "sourceId": "t", "targetId": "out", "type": "edge"},
        ],
    }


class Durable(_Valued):
    """durable_rules. W1 asserts a fact and retracts it, so that every rule that holds fires.

    W2 posts events; one that a rule has used up is lost to the others.
    """

    exact = False

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self.version = _installed("durable-rules")
        self.begin()

    def begin(self) -> None:
        from durable import engine

        host = engine.Host()
        host.set_rulesets({"s": dict(map(self._rule, self._task.rules))})
        unhandled = engine.MessageNotHandledException
        number = 0

        def flat(event: Any) -> dict[str, Any]:
            nonlocal number
            number += 1
            row = {"id": number, "sid": "0", "event": event.eventName, "category": event.category}
            row |= {"visitID": event.visitID, "timestamp": event.timestamp}
            return row | {"cartTotal": event.data.cartTotal}

        def fact(event: Any) -> None:
            row = flat(event)
            try:
                host.assert_fact("s", row)
                host.retract_fact("s", row)
            except unhandled:
                pass

        def post(event: Any) -> None:
            try:  # noqa: SIM105 - the clock runs
                host.post("s", flat(event))
            except unhandled:
                pass

        self.decide = self._deciding(post if self._task.workload == "w2" else fact)

    def _rule(self, rule: Rule) -> tuple[str, dict[str, Any]]:
        heard = self._heard
        parts = _durable_parts(rule)
        return rule.id, {"all": parts, "run": lambda _found: heard.append(rule.id)}


def _durable_parts(rule: Rule) -> list[dict[str, Any]]:
    def part(alias: str, name: str, *more: dict[str, Any]) -> dict[str, Any]:
        return {alias: {"$and": [{"event": name}, {"category": rule.category}, *more]}}

    def after(before: str, begun: str, within: int) -> list[dict[str, Any]]:
        end = {"$add": {"$l": {begun: "timestamp"}, "$r": within}}
        return [
            {"visitID": {before: "visitID"}},
            {"$gt": {"timestamp": {before: "timestamp"}}},
            {"$lt": {"timestamp": end}},
        ]

    match rule:
        case Threshold():
            return [part("a", rule.event, {"$gte": {"cartTotal": rule.at_least}})]
        case Counted():
            return [
                part("a", rule.event),
                part("b", rule.event, *after("a", "a", rule.within)),
                part("c", rule.event, *after("b", "a", rule.within)),
            ]
        case Followed():
            return [part("a", rule.first), part("b", rule.then, *after("a", "a", rule.within))]


class DroolsBridge(Engine):
    """Drools through drools_jpy, as ansible-rulebook runs it: JSON text in, on the wall clock."""

    exact = False

    def __init__(self, task: Task) -> None:
        self.version = _installed("drools-jpy")
        java = shutil.which("java")
        if java is None:
            raise Missing("java")
        # The bridge looks for the virtual machine here only.
        os.environ.setdefault("JAVA_HOME", str(Path(java).resolve().parents[1]))
        os.environ.setdefault("DROOLS_JPY_JVM_MAXMEM", "4g")
        from drools import ruleset
        from drools.rule import Rule as Known

        self._heard: list[str] = []
        self._rulesets, self._known = ruleset, Known
        self._task = task
        self._begun = 0
        self.begin()

    def begin(self) -> None:
        if self._begun:
            self._rulesets.end_session(self._name)
        self._begun += 1
        self._name = f"s{self._begun}"
        rules = [{"Rule": _bridge_rule(rule)} for rule in self._task.rules]
        book = {"name": self._name, "hosts": ["all"], "sources": [], "rules": rules}
        book["match_multiple_rules"] = True
        made = self._rulesets.Ruleset(name=self._name, serialized_ruleset=json.dumps(book))
        heard = self._heard
        for rule in self._task.rules:
            made.add_rule(self._known(rule.id, lambda _found, name=rule.id: heard.append(name)))
        post, name, line = self._rulesets.assert_event, self._name, self._task.form == "line"

        def decide(given: Any) -> list[str] | None:
            post(name, given.decode() if line else given)
            if not heard:
                return None
            answer = heard.copy()
            heard.clear()
            return answer

        self.decide = decide

    def ready(self, line: bytes) -> Any:
        return line if self._task.form == "line" else line.decode()


def _bridge_rule(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"name": rule.id, "enabled": True}
    found["actions"] = [{"Action": {"action": "none", "action_args": {}}}]
    match rule:
        case Threshold():
            total = {"lhs": {"Event": "data.cartTotal"}, "rhs": {"Float": rule.at_least}}
            most = {"GreaterThanOrEqualToExpression": total}
            found["condition"] = {"AllCondition": [_both(_named(rule.event, rule.category), most)]}
        case Counted():
            found["condition"] = {"AllCondition": [_named(rule.event, rule.category)]}
            found["throttle"] = {
                "group_by_attributes": ["event.visitID"],
                "accumulate_within": f"{rule.within // 1000} seconds",
                "threshold": TIMES,
            }
        case Followed():
            first = {"lhs": {"Events": "first"}, "rhs": _named(rule.first, rule.category)}
            then = _both(_named(rule.then, rule.category), _same("EqualsExpression", "visitID"))
            then = _both(then, _same("GreaterThanExpression", "timestamp"))
            second = {"lhs": {"Events": "second"}, "rhs": then}
            both = [{"AssignmentExpression": first}, {"AssignmentExpression": second}]
            within = f"{rule.within // 1000} seconds"
            found["condition"] = {"AllCondition": both, "timeout": within}
    return found


def _named(name: str, category: str) -> dict[str, Any]:
    def is_(field: str, value: str) -> dict[str, Any]:
        return {"EqualsExpression": {"lhs": {"Event": field}, "rhs": {"String": value}}}

    return _both(is_("eventName", name), is_("category", category))


def _same(what: str, field: str) -> dict[str, Any]:
    return {what: {"lhs": {"Event": field}, "rhs": {"Events": f"first.{field}"}}}


def _both(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {"AndExpression": {"lhs": left, "rhs": right}}
