import base64
import hmac

import pytest

from store.collector.refused import Refused
from store.collector.security import Guard, check_exposure, is_loopback
from store.errors import UsageError
from store.settings import CollectorSettings


def status(guard, *, target=b"/v1/events", hosts=(b"localhost:4318",), origins=()):
    headers = [(b"host", host) for host in hosts] + [(b"origin", origin) for origin in origins]
    try:
        guard.check(target, headers)
    except Refused as refused:
        return refused.status
    return 200


@pytest.mark.parametrize(
    "host",
    [b"localhost", b"LocalHost", b"localhost:4318", b"127.0.0.1", b"127.0.0.1:1", b"[::1]:4318"],
)
def test_names_of_this_machine_are_let_in(host):
    assert status(Guard(CollectorSettings()), hosts=[host]) == 200


@pytest.mark.parametrize(
    "host",
    [
        b"localhost.evil.com",
        b"evil.com",
        b"localhost.",
        b"127.0.0.1.",
        b"127.0.0.1.nip.io",
        b"localhost@evil.com",
        b"evil.com@localhost",
        b"localhost:80:80",
        b"localhost:x",
        b"localhost ",
        b"::1",
        b"[::1",
        b"0.0.0.0",
        b"2130706433",
        b"",
        b"loc\xc3\xa1lhost",
    ],
)
def test_any_other_host_is_misdirected(host):
    assert status(Guard(CollectorSettings()), hosts=[host]) == 421


def test_one_host_header_is_wanted():
    guard = Guard(CollectorSettings())
    assert status(guard, hosts=[]) == 400
    assert status(guard, hosts=[b"localhost", b"localhost"]) == 400
    assert status(guard, hosts=[b"localhost", b"evil.com"]) == 400


def test_an_absolute_target_must_name_this_machine_as_well():
    guard = Guard(CollectorSettings())
    assert status(guard, target=b"http://localhost:4318/v1/events") == 200
    assert status(guard, target=b"http://evil.com/v1/events") == 421
    assert status(guard, target=b"http://localhost.evil.com/v1/events") == 421
    assert status(guard, target=b"ftp://localhost/v1/events") == 421
    assert status(guard, target=b"*") == 421


def test_only_listed_origins_may_send():
    guard = Guard(CollectorSettings(origins=("http://shop.example",)))
    assert status(guard, origins=[b"http://shop.example"]) == 200
    for origin in (b"null", b"http://shop.example.evil.com", b"https://shop.example", b"", b"*"):
        assert status(guard, origins=[origin]) == 403
    assert status(guard, origins=[b"http://shop.example", b"http://evil.com"]) == 403


def test_no_origin_at_all_is_a_program_and_no_page():
    assert status(Guard(CollectorSettings())) == 200
    assert status(Guard(CollectorSettings()), origins=[b"http://localhost:3000"]) == 403


def token_status(guard, **headers):
    try:
        guard.check_token(headers)
    except Refused as refused:
        return refused.status
    return 200


def test_the_token_is_taken_as_bearer_or_as_half_of_basic():
    guard = Guard(CollectorSettings(token="s3cret"))
    assert token_status(guard, authorization="Bearer s3cret") == 200
    assert token_status(guard, authorization="bearer  s3cret") == 200
    for pair in (b"s3cret:", b":s3cret", b"me:s3cret"):
        basic = "Basic " + base64.b64encode(pair).decode()
        assert token_status(guard, authorization=basic) == 200


@pytest.mark.parametrize(
    "value", ["", "s3cret", "Bearer", "Bearer s3cre", "Bearer s3cretx", "Basic ???", "Basic czNj"]
)
def test_a_wrong_token_is_401(value):
    assert token_status(Guard(CollectorSettings(token="s3cret")), authorization=value) == 401


@pytest.mark.parametrize(
    ("headers", "parameters"),
    [
        ({"x-honeycomb-team": "s3cret"}, {}),
        ({"dd-api-key": "s3cret"}, {}),
        ({"authorization": "ApiKey s3cret"}, {}),
        ({"authorization": "ApiKey " + base64.b64encode(b"id:s3cret").decode()}, {}),
        ({"x-sentry-auth": "Sentry sentry_key=s3cret, sentry_version=7"}, {}),
        ({"x-sentry-auth": "Sentry sentry_version=7,sentry_key=s3cret"}, {}),
        ({}, {"sentry_key": "s3cret"}),
        ({}, {"dd-api-key": "s3cret"}),
    ],
)
def test_the_token_is_taken_where_a_vendors_client_has_its_key(headers, parameters):
    guard = Guard(CollectorSettings(token="s3cret"))
    guard.check_token(headers, lambda: parameters)
    for wrong in ({"x-sentry-auth": "not_sentry_key=s3cret"}, {"x-honeycomb-team": "s3cre"}, {}):
        with pytest.raises(Refused):
            guard.check_token(wrong, lambda: {"token": "s3cret"})


def test_every_candidate_is_compared_to_its_end_whatever_it_is(monkeypatch):
    """The time taken tells nothing, as hmac.compare_digest has it: `==` is not asked."""
    compared = []

    def compare(given, token):
        compared.append((given, token))
        return given == token

    monkeypatch.setattr(hmac, "compare_digest", compare)
    guard = Guard(CollectorSettings(token="s3cret"))
    basic = "Basic " + base64.b64encode(b"s3cret:x").decode()
    assert token_status(guard, **{"authorization": basic, "dd-api-key": "y"}) == 200
    assert {(each, b"s3cret") for each in (b"s3cret", b"x", b"y")} <= set(compared)


def test_without_a_token_setting_none_is_wanted():
    assert token_status(Guard(CollectorSettings())) == 200


def test_behind_a_token_other_machines_may_use_any_name():
    guard = Guard(CollectorSettings(host="0.0.0.0", token="s3cret"))
    assert status(guard, hosts=[b"metrics.lan:4318"]) == 200


def test_other_machines_are_kept_out_without_a_token():
    check_exposure(CollectorSettings(host="0.0.0.0", token="s3cret"))
    check_exposure(CollectorSettings(host="::1"))
    with pytest.raises(UsageError, match="no token is set"):
        check_exposure(CollectorSettings(host="0.0.0.0"))


def test_loopback_is_known_by_its_addresses():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.2", "localhost.evil.com", "")))
