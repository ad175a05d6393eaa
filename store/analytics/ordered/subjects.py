"""Who an event belongs to: a user, a device of his, or any attribute's value."""

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl

from store.analytics.links import Links, is_given
from store.schema import as_text

USER: Final = "user_id"
"""What `per` is unless told otherwise: the user, else the user of the device, else the device."""
WHO: Final = "who"
"""The subject as a 64-bit hash: `subject_hash` per USER, else one that lasts for this process."""
DEVICE: Final = "is_device"
"""True where WHO is a device's that may belong to a user; absent or null is false."""
NAME: Final = "subject"
"""The subject as text, where it was asked for; per USER null for an event of a device alone."""
DEVICE_NAME: Final = "device"
"""Per USER, the device as text, beside NAME."""


def columns(per: str, *, link: bool, named: bool = False) -> list[str]:
    """The columns that `subject` reads."""
    if per != USER:
        return [per]
    linking = ["install_id", "user_id"] if link or named else []
    return ["subject_hash", *linking]


def subject(
    kinds: Mapping[str, pl.DataType], per: str, *, link: bool, named: bool = False
) -> Sequence[pl.Expr]:
    """WHO (null: nobody, such an event counts for nothing), DEVICE where there are some, and with
    `named` the names; `kinds` are the types of the events' columns.
    """
    if per != USER:
        text = as_text(per, kinds[per])
        given = pl.when(text.str.len_bytes() > 0).then(text)
        name = [given.alias(NAME)] if named else []
        return [pl.when(given.is_not_null()).then(given.hash(seed=7)).alias(WHO), *name]
    found = [pl.col("subject_hash").alias(WHO)]
    has_devices = kinds.get("install_id", pl.Null()) != pl.Null
    if link and has_devices:
        found.append((~is_given("user_id")).alias(DEVICE))
    if named:
        found.append(pl.when(is_given("user_id")).then(pl.col("user_id")).alias(NAME))
        found.append(pl.col("install_id").cast(pl.String).alias(DEVICE_NAME))
    return found


def is_known(per: str) -> pl.Expr:
    """Whether an event belongs to anybody; in words that reach the file."""
    return pl.col("subject_hash" if per == USER else per).is_not_null()


def settled(rows: pl.DataFrame, links: Links, *, nobody: bool = False) -> pl.DataFrame:
    """The rows with each device's WHO replaced by the user that it was linked to; without DEVICE,
    and without the rows of nobody, unless they are asked for.
    """
    rows = rows if nobody else rows.filter(pl.col(WHO).is_not_null())
    if DEVICE not in rows.columns:
        return rows
    devices = rows.filter(DEVICE)[WHO].unique()
    rows = rows.drop(DEVICE) if not devices.len() else rows
    linked = links.of(devices) if devices.len() else None
    if linked is None or not linked.height:
        return rows.drop(DEVICE, strict=False)
    user = pl.when(DEVICE).then("user")
    joined = rows.join(linked, left_on=WHO, right_on="device", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce(user, WHO).alias(WHO)).drop(DEVICE, "user")


def with_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Settled rows with NAME in all of a subject's: the user's where one of them has it, else the
    least of the devices'; without DEVICE_NAME.
    """
    name = pl.col(NAME).drop_nulls().first()
    if DEVICE_NAME in rows.columns:
        name = pl.coalesce(name, pl.col(DEVICE_NAME).min())
    known = rows.lazy().group_by(WHO).agg(name.alias(NAME))
    bare = rows.lazy().drop(NAME, DEVICE_NAME, strict=False)
    return bare.join(known, on=WHO, how="left").collect()
