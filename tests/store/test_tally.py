from hypothesis import given
from hypothesis import strategies as st

from store.tally import ERRORS_SHOWN_MAX, FATES, Receipt, Refusal, Tally

counts = st.integers(0, 10**9)
receipts = st.builds(Receipt, **dict.fromkeys(FATES, counts))


@given(st.lists(receipts, max_size=5))
def test_received_is_the_sum_of_the_six_fates_however_receipts_are_added(many):
    total = sum(many, Receipt())
    assert total.received == sum(getattr(total, fate) for fate in FATES)
    assert total.received == sum(receipt.received for receipt in many)


def test_a_receipt_shows_the_first_errors_and_counts_them_all():
    refusals = tuple(Refusal(f"line {n}", "broken", "bad_json") for n in range(30))
    total = Receipt(rejected=15, errors=refusals[:15]) + Receipt(rejected=15, errors=refusals[15:])
    assert total.rejected == 30
    assert total.errors == refusals[:ERRORS_SHOWN_MAX]


@given(receipts, receipts)
def test_a_tally_reads_back_from_its_json_and_adds_in_any_order(one, other):
    first = Tally.of(one, intake="native", reasons={"rejected.bad_json": one.rejected})
    second = Tally.of(other, intake="import")
    assert (first + second).as_json() == (second + first).as_json()
    assert Tally.from_json((first + second).as_json()).as_json() == (first + second).as_json()
    assert (first + second).received == one.received + other.received


def test_a_tally_of_nothing_is_false():
    assert not Tally()
    assert not Tally.of(Receipt(), intake="native")
    assert Tally.of(Receipt(dropped=1), intake="native")
