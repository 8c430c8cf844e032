"""Make the data of this example: order lines as a shop's form exports them, and the same orders as JSON.

    python examples/order-format/make_data.py [--out FOLDER]

Everything is invented and seeded; running it again writes the same files. A line holds three fields; the JSON
repeats them word for word, always with the same keys in the same order. No two lines order the same: the form
is the only thing that train and eval have in common.
"""

import argparse
import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
TRAIN_ROWS, EVAL_ROWS, SEED = 48, 320, 5

LINE = "item={item}; quantity={quantity}; day={day}"
GOODS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("rolls", "metres"): (
        "copper wire", "garden hose", "wire mesh", "roofing felt", "lamp cable", "canvas cloth", "steel chain",
        "nylon rope", "floor carpet", "masking tape",
    ),
    ("boxes", "packs"): (
        "brass hinges", "door handles", "wood screws", "roof nails", "paint brushes", "work gloves", "light bulbs",
        "drill bits", "floor tiles", "pipe clamps", "safety glasses", "window latches", "table legs", "wall plugs",
    ),
    ("bags", "sacks"): (
        "white sand", "lime mortar", "grass seed", "river gravel", "potting soil", "quick cement", "oak chips",
        "road salt", "clay granules", "tile grout",
    ),
    ("crates", "pallets"): (
        "oak planks", "red bricks", "roof tiles", "slate plates", "pine boards", "paving stones", "glass blocks",
        "fence posts", "garden chairs", "water pipes",
    ),
    ("cans", "buckets"): (
        "wall paint", "linseed oil", "wood glue", "floor wax", "metal primer", "joint sealant", "green varnish",
        "window putty",
    ),
}  # fmt: skip
"""Goods by the units that they are sold in."""
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LEAST, MOST = 2, 60


@dataclass(frozen=True, slots=True)
class Order:
    """What is ordered; the fields are the keys of the JSON, in this order."""

    item: str
    quantity: str
    day: str


def make_order(rng: random.Random) -> Order:
    """Return an order of anything, for any day."""
    units, item = rng.choice([(units, item) for units, items in GOODS.items() for item in items])
    quantity = f"{rng.randint(LEAST, MOST)} {rng.choice(units)}"
    return Order(item, quantity, rng.choice(DAYS))


def make_rows() -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return train and eval rows; no order stands twice."""
    rng = random.Random(SEED)
    orders: dict[Order, None] = {}
    while len(orders) < TRAIN_ROWS + EVAL_ROWS:
        orders[make_order(rng)] = None
    rows = []
    for number, order in enumerate(orders, start=1):
        fields = asdict(order)
        target = json.dumps(fields, ensure_ascii=False)
        rows.append({"id": f"o{number:03d}", "input": LINE.format(**fields), "target": target})
    return rows[:TRAIN_ROWS], rows[TRAIN_ROWS:]


def write_all(out: Path) -> None:
    """Write train.jsonl and eval.jsonl into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in zip(("train", "eval"), make_rows(), strict=True):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (out / f"{name}.jsonl").write_text(lines, encoding="utf-8")
        print(f"{name}.jsonl: {len(rows)} rows")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make the data of this example.")
    parser.add_argument("--out", type=Path, default=FOLDER, help="where to write (default: beside this script)")
    write_all(parser.parse_args().out)
