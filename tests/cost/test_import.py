"""Bills come in whole: every row is a charge or is named, and totals are those of the file."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

import lineage
from lineage.cost.importing import import_files
from lineage.cost.reading import BillError
from lineage.store import Store

FOCUS = Path(__file__).parents[1] / "data" / "focus" / "focus-1.0-sample-1000.csv"
HEAD = (
    "BilledCost,EffectiveCost,BillingCurrency,BillingPeriodStart,ChargePeriodStart,ChargePeriodEnd,BillingAccountId,"
    "ServiceName,Tags\n"
)
ROW = "{},{},{},2026-06-01,2026-06-02,2026-06-03,acc,S,{}\n"


def _bill(path: Path, *rows: tuple[str, str, str, str]) -> Path:
    path.write_text(HEAD + "".join(ROW.format(*row) for row in rows), encoding="utf-8")
    return path


def _total(store: Store, metric: str = "billed") -> int:
    sql = f"SELECT sum(charge.{metric}) FROM charge JOIN bill_part USING (part) WHERE known_to = '9999-12-31'"
    return int(store.rows(sql)[0][0] or 0)


def test_a_real_bill_is_conserved_to_the_last_digit_in_both_metrics(store: Store) -> None:
    done = import_files(store, [FOCUS]).files[0]
    with FOCUS.open(newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert (done.rows, done.kept, done.refused) == (1000, 1000, 0)
    for metric, column in (("billed", "BilledCost"), ("effective", "EffectiveCost")):
        assert _total(store, metric) == sum((Decimal(row[column]) for row in rows), Decimal(0)) * 10**12
    with lineage.open(store) as lx:
        for by in ("domain", "dataset", "job", "consumer", "service", "product"):
            for one in lx.cost.report(by, period="2024-09..2024-10").currencies:
                sums = [sum(Decimal(getattr(row, name)) for row in one.rows) for name in ("own", "charged_back")]
                assert sums == [Decimal(one.billed)] * 2
                assert one.billed == one.allocated


def test_the_same_file_twice_counts_once(store: Store) -> None:
    import_files(store, [FOCUS])
    before = _total(store)
    assert import_files(store, [FOCUS]).files[0].status == "already imported"
    assert _total(store) == before


def test_a_restatement_replaces_its_account_and_period_and_the_old_file_does_not_come_back(
    store: Store, tmp_path: Path
) -> None:
    first = _bill(tmp_path / "a.csv", ("10", "9", "EUR", ""))
    second = _bill(tmp_path / "b.csv", ("11", "8", "EUR", ""))
    import_files(store, [first])
    assert import_files(store, [second]).files[0].parts[0].replaced
    assert _total(store) == 11 * 10**12
    assert import_files(store, [first]).files[0].status == "replaced earlier"
    assert _total(store) == 11 * 10**12
    import_files(store, [first], force=True)
    assert _total(store) == 10 * 10**12


def test_parts_of_one_delivery_add_up_and_the_same_rows_in_two_files_are_refused(store: Store, tmp_path: Path) -> None:
    one = _bill(tmp_path / "a.csv", ("10", "10", "EUR", '"{""app"": ""x""}"'))
    two = _bill(tmp_path / "b.csv", ("5", "5", "EUR", ""))
    again = _bill(tmp_path / "c.csv", ("6", "6", "EUR", ""))
    with pytest.raises(BillError, match=r"a\.csv|b\.csv|c\.csv"):
        import_files(store, [two, again])
    assert _total(store) == 0
    import_files(store, [one, two])
    assert _total(store) == 15 * 10**12


def test_every_bad_row_is_named_with_file_and_row_and_the_rest_reconciles(store: Store, tmp_path: Path) -> None:
    path = _bill(
        tmp_path / "bad.csv",
        ("1e-7", "0", "EUR", ""),  # row 2
        ("NULL", "1", "EUR", ""),  # row 3: no amount
        ('"12,5"', "NULL", "usd", ""),
        ("twelve", "1", "EUR", ""),  # row 5
        ("-3", "-3", "EUR", ""),
        ("1", "1", "NULL", ""),  # row 7: no currency
        ('"1,234"', "1", "EUR", ""),  # row 8: two meanings
        ("0x1", "1", "EUR", ""),  # row 9, and 10: what some programs read as numbers
        ("1_0", "1", "EUR", ""),
    )
    path.write_text(path.read_text() + "\n1,2,3\n" + ROW.format("2", "2", "EUR", "") + "\n")  # row 12: too short
    done = import_files(store, [path]).files[0]
    assert [(bad.file, bad.row) for bad in done.bad_rows] == [(str(path), row) for row in (3, 5, 7, 8, 9, 10, 12)]
    assert (done.rows, done.kept, done.refused) == (11, 4, 7)
    assert done.notes[-1] == "2 empty rows (first in row 11)"
    sums = {part.currency: part.billed for part in done.parts}
    assert sums == {"EUR": "-0.9999999", "USD": "12.5"}
    assert store.rows("SELECT count(*) FROM charge_refused") == [(7,)]
    with pytest.raises(BillError, match="row 3"):
        import_files(store, [_bill(tmp_path / "strict.csv", ("1", "1", "EUR", ""), ("x", "1", "EUR", ""))], strict=True)


def test_what_is_beyond_the_twelfth_decimal_is_told_to_the_last_digit(store: Store, tmp_path: Path) -> None:
    rows = [("0.1234567890123456", "0", "EUR", "")] * 3 + [("0.000000000001", "1.00000000000049", "EUR", "")]
    done = import_files(store, [_bill(tmp_path / "fine.csv", *rows)]).files[0]
    assert done.parts[0].billed == "0.370370367037"
    assert done.notes == (
        "4 amounts with more than 12 decimals (first in row 2)",
        "the file bills 0.0000000000010368 more than was kept, all beyond the twelfth decimal",
    )


def test_parquet_gzip_semicolons_and_simple_files_say_the_same(store: Store, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "BilledCost": pa.array([1.5, -0.1]),
        "BillingCurrency": ["EUR", "EUR"],
        "ChargePeriodStart": pa.array([0, 1], pa.timestamp("us", "UTC")),
        "Tags": pa.array([[("domain", "x")], None], pa.map_(pa.string(), pa.string())),
    }
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    (tmp_path / "b.csv.gz").write_bytes(
        gzip.compress(b"date;amount;currency;domain\n2026-06-01;1,5;EUR;x\n2026-06-02;-0,1;EUR;\n")
    )
    for name in ("a.parquet", "b.csv.gz"):
        (part,) = import_files(store, [tmp_path / name]).files[0].parts
        assert (part.billed, part.effective, part.rows) == ("1.4", "1.4", 2)
    tags = store.rows("SELECT DISTINCT tags FROM charge_key WHERE tags IS NOT NULL")
    assert tags == [('{"domain": "x"}',)]


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"BilledCost,BillingCurrency\n1,EUR\n", b"\xff\xfe\x00", b"PAR1 no"]
)
def test_a_file_that_is_no_bill_is_refused_with_its_name(store: Store, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    with pytest.raises(BillError, match=r"odd\.csv"):
        import_files(store, [path])


def test_an_import_is_an_act_in_the_log(store: Store, tmp_path: Path) -> None:
    import_files(store, [_bill(tmp_path / "a.csv", ("10", "9", "EUR", ""))])
    ((action, payload),) = store.rows("SELECT action, payload FROM audit")
    assert action == "cost.import"
    assert '"billed":"10"' in payload


def test_bills_survive_a_rebuild(store: Store, tmp_path: Path) -> None:
    from ingest.rebuild import rebuild

    import_files(store, [FOCUS])
    with Store.open(tmp_path / "new.duckdb") as target:
        rebuild(store, target)
        assert _total(target) == _total(store)
        assert target.rows("SELECT count(*) FROM charge_key") == store.rows("SELECT count(*) FROM charge_key")


def test_what_was_known_before_a_restatement_can_still_be_asked(store: Store, tmp_path: Path) -> None:
    from datetime import datetime

    for day, amount in ((1, "10"), (5, "11")):
        path = _bill(tmp_path / f"{day}.csv", (amount, amount, "EUR", ""))
        import_files(store, [path], now=datetime(2026, 7, day))  # noqa: DTZ001
    with lineage.open(store) as lx:
        assert lx.cost.report(period="2026-06").currencies[0].billed == "11"
        assert lx.cost.report(period="2026-06", known_at="2026-07-03").currencies[0].billed == "10"
