"""Where rows can be had from outside, and the steps from there to a task; each ends in a file that we read."""

from dataclasses import dataclass

READ = ".csv, .tsv, .json, .jsonl, .ndjson or .parquet, each also with .gz"
"""What ``--data`` reads (``evals/data_file.py``)."""


@dataclass(frozen=True, slots=True)
class DataPlace:
    """A kind of place: what is fetched by hand, how tuneworthy loads it, and what to look out for."""

    name: str
    by_hand: str
    load: str
    mind: str

    @property
    def sentence(self) -> str:
        """Everything in one paragraph."""
        return f"{self.name}: {self.by_hand} Then `{self.load}`. {self.mind}"


PLACES = (
    DataPlace(
        "Own records",
        "Export past inputs with the answers that people gave them to one file, a row each.",
        "tuneworthy init mytask --data export.csv",
        f"It can be {READ}; a spreadsheet has to be saved as CSV in UTF-8 first. Nothing is nearer to the real task.",
    ),
    DataPlace(
        "A data set of a hub (Hugging Face)",
        "Fetch its Parquet file by hand: on the page of the data set under 'Files and versions', or with "
        '`hf download OWNER/NAME --repo-type dataset --include "*.parquet" --local-dir hub`; '
        "tuneworthy downloads no data itself.",
        "tuneworthy init mytask --data hub/TRAIN.parquet --eval hub/TEST.parquet",
        "One file each: of a set in several parts, take one or join them. Labels are often numbers whose names stand "
        "only in the data set's card; the card also names the licence. A set that a model may have been trained on "
        "flatters that model.",
    ),
    DataPlace(
        "Kaggle",
        "Sign in, accept the terms, download the archive and unpack it by hand; a .zip isn't read.",
        "tuneworthy init mytask --data train.csv --input-column TEXT --target-column LABEL",
        "Take the file with answers: a competition's test.csv has none, so let tuneworthy split eval rows off. "
        "The licence stands beside the data; some competitions forbid other uses.",
    ),
    DataPlace(
        "Open government data (data.gov, data.europa.eu, a country's own portal)",
        "Download the CSV or JSON file by hand; delete lines above the header, and save it as UTF-8.",
        "tuneworthy init mytask --data portal.csv --input-column TEXT --target-column LABEL",
        "Semicolons are understood if the header holds no comma; .xlsx, .xml and .zip aren't read. "
        "Few portals publish texts with answers: look for a column that a person filled in. "
        "The licence stands beside the file.",
    ),
)
"""The nearest to the real task first."""
