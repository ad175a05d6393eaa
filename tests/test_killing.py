"""The promise over a kill -9, of any of our processes, at any step; at length: benches/bench_kill."""

from tests.killing import VICTIMS, Battlefield

ROUNDS = 25


def test_whoever_is_killed_nothing_acknowledged_is_lost_or_doubled(tmp_path):
    victims = ["collector", *VICTIMS]
    with Battlefield(tmp_path, seed=ROUNDS) as field:
        for number in range(ROUNDS):
            field.round(victims[number % len(victims)])
        field.finish_imports()
    assert sum(field.kills.at.values()) + field.kills.ended == ROUNDS
    assert field.kills.ended < ROUNDS / 2
    assert field.kills.acknowledged > 1_000
