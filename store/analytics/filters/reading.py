"""Filter text to a tree: `severity>=warning (plan=pro or plan=team) -user_id=ada "not found"`."""

from dataclasses import dataclass
from typing import Final

from store.analytics.filters.faults import FilterFault
from store.analytics.filters.nodes import (
    EVERYTHING,
    EXISTS,
    LISTING,
    OPERATORS,
    Bare,
    Node,
    Term,
    every,
    negated,
    some,
)
from store.analytics.filters.values import Moment, checked
from store.errors import UsageError

QUOTES: Final = frozenset("\"'")
WORD_ENDS: Final = frozenset("=!<>~()")
DEPTH_MAX: Final = 50
TERMS_MAX: Final = 1_000


@dataclass(slots=True)
class Reader:
    """One pass over the text, left to right; `at` is the next character."""

    text: str
    moment: Moment
    at: int = 0
    depth: int = 0
    terms: int = 0

    def filter(self) -> Node:
        """The whole text."""
        node = self._some()
        if self.at < len(self.text):
            raise self._fault("this ) closes nothing", "take it away")
        return node

    def _some(self) -> Node:
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise self._fault(f"parentheses nest deeper than {DEPTH_MAX}", "write it flatter")
        parts = [self._every()]
        while self._takes_word("or"):
            parts.append(self._every())
        self.depth -= 1
        if len(parts) > 1 and any(part == EVERYTHING for part in parts):
            raise self._fault("`or` stands beside nothing", 'write a term there, or "or" in quotes')
        return some(parts)

    def _every(self) -> Node:
        parts: list[Node] = []
        while not self._at_end() and self._word_here() != "or":
            if self._takes_word("and"):
                continue
            parts.append(self._one())
        return every(parts)

    def _one(self) -> Node:
        denied = False
        while True:
            if self._takes_word("not"):
                denied = not denied
            elif self._skips() == "-" and self._char(1) not in ("", " ", *WORD_ENDS - {"("}):
                self.at += 1
                denied = not denied
            else:
                break
        if self._at_end() or self._word_here() == "or":
            raise self._fault("`not` stands before nothing", 'write a term, or "not" in quotes')
        node = self._group() if self._skips() == "(" else self._term()
        return negated(node) if denied else node

    def _group(self) -> Node:
        opened = self.at
        self.at += 1
        node = self._some()
        if self._skips() != ")":
            raise self._fault("this ( is never closed", "write )", at=opened)
        self.at += 1
        return node

    def _term(self) -> Node:
        self.terms += 1
        if self.terms > TERMS_MAX:
            raise self._fault(f"there are more than {TERMS_MAX} terms", "write field=a,b,c")
        quoted = self._skips() in QUOTES
        word = self._quoted() if quoted else self._plain(WORD_ENDS)
        after_word = self.at
        self._skips()
        found = next((o for o in OPERATORS if self.text.startswith(o, self.at)), None)
        if found is None:
            self.at = after_word
            if not word and not quoted:
                raise self._fault(f"{self._skips()!r} is no operator", f"use {' '.join(OPERATORS)}")
            return Bare(word) if word else EVERYTHING
        if not word:
            raise self._fault("a field is missing before the operator", f"write field{found}value")
        return self._comparison(word, found)

    def _comparison(self, field: str, operator: str) -> Node:
        self.at += len(operator)
        if operator in LISTING and self._char() == "=":  # `==`, out of habit
            self.at += 1
        self._skips()
        value_at = self.at
        bare_star = self._char() == "*" and self._char(1) in ("", " ", "\t", "\n", ")")
        if operator in LISTING and bare_star:
            self.at += 1
            exists = Term(field, EXISTS)
            return exists if operator == "=" else negated(exists)
        values = self._values(listing=operator in LISTING)
        try:
            return checked(field, operator, values, self.moment)
        except FilterFault as fault:
            raise fault.at(self._place(value_at + fault.offset)) from None

    def _values(self, *, listing: bool) -> tuple[str, ...]:
        values: list[str] = []
        while True:
            if self._char() in QUOTES:
                values.append(self._quoted())
            else:
                value = self._plain(frozenset(",") if listing else frozenset(), balanced=True)
                if not value:
                    raise self._fault("a value is missing", 'write one; "" finds what is empty')
                values.append(value)
            if not (listing and self._char() == ","):
                return tuple(values)
            self.at += 1

    def _plain(self, ends: frozenset[str], *, balanced: bool = False) -> str:
        """Up to a space, one of `ends`, or a ) that closes nothing in here."""
        start, inside = self.at, 0
        while (char := self._char()) and not char.isspace() and char not in ends:
            if balanced and char == ")":
                if not inside:
                    break
                inside -= 1
            inside += char == "("
            self.at += 1
        return self.text[start : self.at]

    def _quoted(self) -> str:
        """Between quotes, where a backslash stands before a quote or a backslash to mean it."""
        opened, quote, found = self.at, self._char(), []
        self.at += 1
        while (char := self._char()) != quote:
            if not char:
                raise self._fault("this quote is never closed", f"write {quote}", at=opened)
            if char == "\\" and self._char(1) in (quote, "\\"):
                self.at += 1
            found.append(self._char())
            self.at += 1
        self.at += 1
        return "".join(found)

    def _char(self, ahead: int = 0) -> str:
        return self.text[self.at + ahead : self.at + ahead + 1]

    def _skips(self) -> str:
        while self._char().isspace():
            self.at += 1
        return self._char()

    def _at_end(self) -> bool:
        return self._skips() in ("", ")")

    def _word_here(self) -> str:
        """The keyword that stands here, if one does: a whole word without an operator."""
        self._skips()
        end = self.at
        while end < len(self.text) and self.text[end].isalpha():
            end += 1
        after = self.text[end : end + 1]
        word = self.text[self.at : end].lower()
        whole = not after or after.isspace() or after in "()"
        operated = self.text[end:].lstrip().startswith(OPERATORS)
        return word if whole and not operated and word in ("or", "and", "not") else ""

    def _takes_word(self, word: str) -> bool:
        if self._word_here() != word:
            return False
        self.at += len(word)
        return True

    def _place(self, at: int) -> str:
        return f"character {at + 1}"

    def _fault(self, fault: str, next_step: str, at: int | None = None) -> UsageError:
        return FilterFault(fault, next_step).at(self._place(self.at if at is None else at))
