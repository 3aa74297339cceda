"""An index over many conditions finds just those that hold when each is asked alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn
from properties.cases import Case, cases
from properties.words import CATEGORY_NAMES, Pen, condition, number_of, pick, text_of

from engine.language.syntax import And, Atom, Compare, Expr, Path
from engine.runtime.index import Entry, Index
from engine.runtime.plan import plan
from engine.runtime.scene import Scene
from engine.runtime.visitor import Visitor
from engine.vocabulary.events import Event

CART = Atom(what="event", name="Cart")
PRICE, ITEM = Path(parts=("event", "price")), Path(parts=("event", "item"))


def _demand(draw: DrawFn) -> Expr:
    """What an index files under: a field that is equal to something, and thresholds."""
    if draw(st.booleans()):
        return Compare(operator="=", left=ITEM, right=text_of(pick(draw, ("red", "Phone", ""))))
    operator = pick(draw, ("<", "<=", ">", ">=", "="))
    return Compare(operator=operator, left=PRICE, right=number_of(pick(draw, (0, 1, 2, 100))))


@st.composite
def entries(draw: DrawFn) -> list[Entry]:
    """Up to thirty conditions about one event, most of them of the kind that is indexed."""
    pen, found = Pen(draw), []
    for number in range(draw(st.integers(1, 30))):
        parts = [_demand(draw) for _ in range(draw(st.integers(0, 2)))]
        if draw(st.integers(0, 3)) == 0:
            parts.append(condition(pen, CART, guard=False))
        names = draw(st.sets(st.sampled_from(CATEGORY_NAMES), max_size=2))
        whole = And(items=tuple(parts)) if len(parts) > 1 else parts[0] if parts else None
        found.append(Entry(number, tuple(sorted(names)), whole))
    return found


def _alone(scene: Scene, categories: tuple[str, ...], where: Expr | None) -> bool:
    """The same asked one by one, by conditions that no index has seen."""
    book, conditions = scene.plan.book, scene.plan
    there = [conditions.category(book.categories[name].condition)(scene) for name in categories]
    if categories and not any(there):
        return False
    return where is None or conditions.look(where)(scene) is True


@given(cases(), entries(), st.data())
def test_what_is_found_is_what_holds(case: Case, drawn: list[Entry], data: st.DataObject) -> None:
    conditions = plan(case.book).conditions
    index = Index(conditions, drawn, event="Cart")
    prices = st.sampled_from((0, 1, 1.5, 2, 99, 100, True, "100", None))
    items = st.sampled_from(("red", "Phone", "", 1, None))
    urls = st.sampled_from((None, "/checkout", "/products/a?utm=mail", "/cart"))
    for _ in range(5):
        given_data = {"price": data.draw(prices), "item": data.draw(items)}
        event = Event(
            name="Cart", time=0, visitor="W", visit="V", page="P", url=data.draw(urls),
            data=given_data,
        )  # fmt: skip
        scene = Scene(conditions, event, 0, Visitor.new("W"), None)
        holding = [one.number for one in drawn if _alone(scene, one.categories, one.condition)]
        assert sorted(index.find(scene)) == holding


@given(cases())
def test_the_atoms_of_a_book_are_found(case: Case) -> None:
    compiled = plan(case.book)
    for moment in case.moments():
        if isinstance(moment, Event):
            scene = Scene(compiled.conditions, moment, moment.time, Visitor.new("W"), None)
            holding = [
                watch.index
                for watch in compiled.watches
                if watch.atom.what == "any" or (watch.atom.name == moment.name
                and watch.atom.what == "event")
                if _alone(scene, watch.atom.categories, watch.atom.where)
            ]  # fmt: skip
            assert sorted(compiled.fitting(scene)) == holding
